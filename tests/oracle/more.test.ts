import { checkCases } from "./suite.js";

checkCases("unusual arguments", { file: "more" });
