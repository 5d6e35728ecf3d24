/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` shows the sources with a gateway behind them: TIDEGATE_URL, or the usual port.
const gateway = process.env.TIDEGATE_URL ?? "http://127.0.0.1:8787";

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "build",
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // On a slow machine each further file costs more time than its bytes. So the first one has the frame, what pages share, and the two
    // pages that are opened most; every other page is a file, and what only pages for managing need.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: "shared", test: /\/src\/(?!pages\/(?!overview\/|logs\/(?!detail\/|compare|diff)|[\w-]+\/nav)|manage\/(?:meter|limit-fields|list)|editor\/)|node_modules|^\0/ }] },
      },
    },
  },
  server: { proxy: { "/v1": gateway, "/sign-in": gateway, "/openapi.json": gateway, "/metrics": gateway, "/readyz": gateway, "/healthz": gateway, "/pricing": gateway, "/model-configs": gateway } },
  test: { environment: "node", include: ["src/**/*.test.ts", "tests/**/*.test.ts"] },
});
