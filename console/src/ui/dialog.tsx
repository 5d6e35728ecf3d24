import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { useText } from "@/i18n/language";
import { Button } from "./button";
import { text } from "./text";
import "./dialog.css";

interface Props {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Beside the title. */
  readonly actions?: ReactNode;
  readonly footer?: ReactNode;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
}

/** In the middle, over everything. The browser keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog(props: Props) {
  return <Modal {...props} className="dialog" />;
}

/** On the right, for looking at one of many. */
export function Sheet(props: Props) {
  return <Modal {...props} className="sheet" />;
}

function Modal({ title, onClose, children, actions, footer, onKeyDown, className }: Props & { readonly className: string }) {
  const t = useText(text);
  const titleId = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => {
    const element = dialog.current;
    if (!element || !onKeyDown) return;
    element.addEventListener("keydown", onKeyDown);
    return () => element.removeEventListener("keydown", onKeyDown);
  }, [onKeyDown]);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        // The veil belongs to the dialog's own box; everything inside is one of its children.
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        {actions}
        <Button kind="plain" icon label={t("close")} onClick={onClose}>
          <X aria-hidden />
        </Button>
      </div>
      <div className="dialog-body">{children}</div>
      {footer && <div className="dialog-foot">{footer}</div>}
    </dialog>
  );
}

/** Asks before something is done that people may regret. `children` says what it does, in numbers. */
export function Confirm(props: {
  readonly title: string;
  readonly action: string;
  readonly isBusy?: boolean;
  readonly isDangerous?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const t = useText(text);
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={props.onClose}>{t("cancel")}</Button>
          <Button kind={props.isDangerous ? "danger" : "primary"} disabled={props.isBusy} onClick={props.onConfirm}>
            {props.action}
          </Button>
        </>
      }
    >
      {props.children}
    </Dialog>
  );
}
