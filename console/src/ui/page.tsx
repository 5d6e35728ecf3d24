import { type ReactNode, useEffect } from "react";
import "./page.css";

/** Head and body of a page. */
export function Page({ title, actions, children }: { readonly title: string; readonly actions?: ReactNode; readonly children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Tidegate`;
  }, [title]);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{title}</h1>
        {actions && <div className="row push">{actions}</div>}
      </div>
      {children}
    </div>
  );
}
