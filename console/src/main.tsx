import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, queries } from "./app";
import { loadAhead } from "./pages";
import "./ui/tokens.css";
import "./ui/base.css";

/** For so long an empty page is better than one that is drawn three times. */
const PATIENCE_MS = 200;

const isSignIn = location.pathname.endsWith("/sign-in");
if (!isSignIn) await Promise.race([loadAhead(queries, location), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
