import { checkCases } from "./suite.js";

checkCases("numpy, first half", { file: "numpy", only: (fn) => fn < "numpy.l" });
