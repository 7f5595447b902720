import { checkCases } from "./suite.js";

checkCases("numpy in float64", { file: "numpy", x64: true });
checkCases("lax in float64", { file: "lax", x64: true });
checkCases("nn in float64", { file: "nn", x64: true });
checkCases("random in float64", { file: "random", x64: true });
checkCases("other namespaces in float64", { file: "other", x64: true });
