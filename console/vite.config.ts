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
    // A page is the frame, what pages share with the two that are opened most, and its own file: on a slow machine each further
    // file costs more time than its bytes.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: "shared", test: /\/src\/(?!pages\/(?!overview\/|logs\/(?!detail\/|compare|diff))|main\.tsx|app\.tsx)|node_modules/ }] },
      },
    },
  },
  server: { proxy: { "/v1": gateway, "/sign-in": gateway, "/openapi.json": gateway, "/metrics": gateway, "/readyz": gateway, "/healthz": gateway, "/pricing": gateway, "/model-configs": gateway } },
  test: { environment: "node", include: ["src/**/*.test.ts", "tests/**/*.test.ts"] },
});
