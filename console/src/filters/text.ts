import { defineText } from "@/i18n/text";

export const text = defineText(
  {
    filter: "Filter",
    filterFields: "Fields: {fields}, and m.<key> for metadata. Words in quotes are looked for in bodies, where those are kept.",
    badField: "“{text}” is no field.",
    badValue: "“{text}” has a value that does not fit its field.",
    badShape: "“{text}” is no filter: write field:value.",
    dropFilter: "Remove the filter {term}",
    clear: "Clear all",
  },
  {
    filter: "筛选",
    filterFields: "字段：{fields}；元数据用 m.<键>。引号中的词在请求与回答正文中查找（仅限已保存正文的请求）。",
    badField: "“{text}”不是字段。",
    badValue: "“{text}”的值与字段不符。",
    badShape: "“{text}”不是筛选条件，请写成 字段:值。",
    dropFilter: "移除筛选条件 {term}",
    clear: "全部清除",
  },
);
