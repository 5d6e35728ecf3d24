import { type ComponentProps, type ReactNode, useId } from "react";
import { useText } from "@/i18n/language";
import { text } from "./text";
import "./field.css";

interface Shape {
  readonly label: string;
  readonly hint?: ReactNode;
  /** What is wrong and what would be right. */
  readonly error?: string | null | undefined;
  readonly required?: boolean | undefined;
}

interface Wiring {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean;
  readonly required: boolean;
}

/** Label, control, hint and error, wired so that a screen reader reads all of them. */
export function Field({ label, hint, error, required, children }: Shape & { readonly children: (wiring: Wiring) => ReactNode }) {
  const t = useText(text);
  const id = useId();
  const about = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {required && <span className="muted"> · {t("required")}</span>}
      </label>
      {children({ id, "aria-describedby": about || undefined, "aria-invalid": Boolean(error), required: required ?? false })}
      {hint && (
        <span className="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error && (
        <span className="field-error" id={`${id}-error`} role="alert">
          {error}
        </span>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, required, className = "", ...input }: Shape & ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint} error={error} required={required}>
      {(wiring) => <input {...input} {...wiring} className={`input ${className}`} />}
    </Field>
  );
}

export function AreaField({ label, hint, error, required, className = "", ...area }: Shape & ComponentProps<"textarea">) {
  return (
    <Field label={label} hint={hint} error={error} required={required}>
      {(wiring) => <textarea rows={4} {...area} {...wiring} className={`input ${className}`} />}
    </Field>
  );
}

interface Option {
  readonly value: string;
  readonly text: string;
}

export function SelectField({ label, hint, error, required, options, ...select }: Shape & ComponentProps<"select"> & { readonly options: readonly Option[] }) {
  return (
    <Field label={label} hint={hint} error={error} required={required}>
      {(wiring) => (
        <select {...select} {...wiring} className="input">
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A select inside a row of controls: its label is not shown. */
export function Select({ label, options, ...select }: { readonly label: string; readonly options: readonly Option[] } & ComponentProps<"select">) {
  return (
    <select aria-label={label} title={label} {...select} className="input">
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.text}
        </option>
      ))}
    </select>
  );
}

export function CheckField({ label, ...input }: { readonly label: ReactNode } & ComponentProps<"input">) {
  return (
    <label className="check">
      <input type="checkbox" {...input} />
      <span>{label}</span>
    </label>
  );
}
