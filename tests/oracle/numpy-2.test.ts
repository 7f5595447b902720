import { checkCases } from "./suite.js";

checkCases("numpy, second half", { file: "numpy", only: (fn) => fn >= "numpy.l" });
