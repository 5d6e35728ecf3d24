import { CopyButton } from "./copy";
import "./code.css";

/** Text to read and copy. */
export function Code({ value, label }: { readonly value: string; readonly label: string }) {
  return (
    <div className="code">
      <pre tabIndex={0} role="region" aria-label={label}>
        {value}
      </pre>
      <CopyButton value={value} what={label} />
    </div>
  );
}

export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  return <Code value={typeof value === "string" ? value : JSON.stringify(value, null, 2)} label={label} />;
}
