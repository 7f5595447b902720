import { checkCases } from "./suite.js";

checkCases("lax", { file: "lax" });
checkCases("nn", { file: "nn" });
checkCases("random", { file: "random" });
checkCases("other namespaces", { file: "other" });
