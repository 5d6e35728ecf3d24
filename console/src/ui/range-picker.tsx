import { RefreshCw } from "lucide-react";
import { exact } from "@/format/time";
import { useLanguage, useText } from "@/i18n/language";
import { RANGES, type useRange } from "@/url/range";
import { Button } from "./button";
import { Select } from "./field";
import { text } from "./text";

const NAMES = {
  "-15m": "range_15m",
  "-1h": "range_1h",
  "-6h": "range_6h",
  "-24h": "range_24h",
  "-7d": "range_7d",
  "-30d": "range_30d",
} as const;

/** Chooses the range of time that a page shows, and asks again. */
export function RangePicker({ range }: { readonly range: ReturnType<typeof useRange> }) {
  const t = useText(text);
  const { language } = useLanguage();
  const options: { value: string; text: string }[] = RANGES.map((value) => ({ value, text: t(NAMES[value]) }));
  if (!options.some((option) => option.value === range.text)) {
    const shown = range.text === "between" ? `${exact(range.from, language)} – ${exact(range.to, language)}` : range.text;
    options.push({ value: range.text, text: shown });
  }
  return (
    <>
      <Select label={t("range")} options={options} value={range.text} onChange={(event) => range.choose(event.target.value)} />
      <Button icon label={t("refresh")} onClick={range.refresh}>
        <RefreshCw aria-hidden />
      </Button>
    </>
  );
}
