import type { ComponentProps, ReactNode } from "react";
import "./button.css";

interface ButtonProps extends ComponentProps<"button"> {
  readonly kind?: "usual" | "primary" | "danger" | "plain";
  /** Only an icon inside: `label` says what it does. */
  readonly icon?: boolean;
  readonly label?: string;
}

export function Button({ kind = "usual", icon = false, label, className = "", ...rest }: ButtonProps) {
  const classes = ["button", kind === "usual" ? "" : `button-${kind}`, icon ? "button-icon" : "", className];
  return <button type="button" aria-label={label} title={label} {...rest} className={classes.filter(Boolean).join(" ")} />;
}

/** One of a few. */
export function Segments<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly text: ReactNode; readonly label?: string }[];
  readonly onChange: (value: T) => void;
}) {
  return (
    <div className="segments" role="group" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          key={option.value}
          type="button"
          className="button"
          aria-pressed={option.value === props.value}
          aria-label={option.label}
          title={option.label}
          onClick={() => props.onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}
