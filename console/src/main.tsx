import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, queries } from "./app";
import { loadAhead } from "./pages";
import "./ui/tokens.css";
import "./ui/base.css";

/** For so long an empty page is better than one that is drawn three times. */
const PATIENCE_MS = 200;

/** Pages import what they share from this file, so nothing may wait while it is loaded. */
async function start(): Promise<void> {
  const isSignIn = location.pathname.endsWith("/sign-in");
  if (!isSignIn) await Promise.race([loadAhead(queries, location), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

void start();
