import js from "@eslint/js";
import tseslint from "typescript-eslint";

const nodeGlobals = Object.fromEntries(
  ["process", "console", "URL", "performance", "setTimeout", "clearTimeout", "Buffer", "globalThis"].map((name) => [
    name,
    "readonly",
  ]),
);

export default tseslint.config(
  { ignores: ["**/dist/", "coverage/", "**/node_modules/", "bench/results/"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    rules: {
      "no-undef": "off",
      // Coefficients of polynomials are written with the digits they were published with.
      "no-loss-of-precision": "off",
      "prefer-const": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      // The calling convention reads `arguments`: named parameters for the reader, one binder for all of them.
      "prefer-rest-params": "off",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_" },
      ],
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: { globals: nodeGlobals },
    rules: { "no-undef": "error" },
  },
);
