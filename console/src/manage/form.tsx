import { type FormEvent, type ReactNode, useEffect, useRef } from "react";
import { problemOf } from "@/api/problem";
import { useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { text } from "./text";
import "./manage.css";

/**
 * What the server said about one of these members, for the field that holds it. `usage_limits` also takes what is said of
 * `usage_limits.credit_limit`.
 */
export function errorOf(error: unknown, ...members: readonly string[]): string | null {
  if (!error) return null;
  const { param, message } = problemOf(error);
  if (param === null) return null;
  const isOf = (member: string) => param === member || param.startsWith(`${member}.`) || param.startsWith(`${member}[`);
  return members.some(isOf) ? message : null;
}

/** The rest: what no field of the form shows. */
export function ErrorLine({ error, shown = [] }: { readonly error: unknown; readonly shown?: readonly string[] }) {
  if (!error || errorOf(error, ...shown) !== null) return null;
  return (
    <p className="error-line" role="alert">
      {problemOf(error).message}
    </p>
  );
}

interface Props {
  readonly title: string;
  readonly action: string;
  readonly isBusy: boolean;
  readonly error: unknown;
  /** Members whose errors stand at a field. */
  readonly shown?: readonly string[];
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A sheet with a form in it: Enter sends it, and what the server refuses stands where it belongs. */
export function FormSheet({ title, action, isBusy, error, shown, onSubmit, onClose, children }: Props) {
  const t = useText(text);
  const form = useRef<HTMLFormElement>(null);
  // After the sheet has opened, which puts the focus on its first button.
  useEffect(() => {
    const frame = requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("input, select, textarea")?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Sheet title={title} onClose={onClose}>
      <form ref={form} className="form" onSubmit={send}>
        {children}
        <ErrorLine error={error} {...(shown ? { shown } : {})} />
        <div className="form-foot">
          <Button type="submit" kind="primary" disabled={isBusy}>
            {isBusy ? t("saving") : action}
          </Button>
        </div>
      </form>
    </Sheet>
  );
}
