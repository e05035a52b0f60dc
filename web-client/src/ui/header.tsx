import { language, messages } from "../language/language";
import { BrandIcon } from "./icons";
import { changeTextSize, textSize } from "./text-size";

export function Header() {
  const { name, header } = messages.value;
  return (
    <header class="header">
      <a class="skip" href="#main">
        {header.skip}
      </a>
      <a class="brand" href="/" aria-label={`${name}: ${header.home}`}>
        <BrandIcon />
        <span class="brand-name">{name}</span>
      </a>
      <TextSizeButton />
      <LanguageButton />
    </header>
  );
}

function TextSizeButton() {
  const { textSize: label, textSizes } = messages.value.header;
  return (
    <button
      type="button"
      class="button quiet"
      aria-label={`${label}: ${textSizes[textSize.value]}`}
      onClick={changeTextSize}
    >
      <span aria-hidden="true">
        A<span class="bigger">A</span>
      </span>
    </button>
  );
}

/** Written in the language it leads to, for whoever cannot read the present one. */
function LanguageButton() {
  const other = language.value === "vi" ? "en" : "vi";
  const change = () => {
    language.value = other;
  };
  return (
    <button type="button" class="button quiet" lang={other} onClick={change}>
      {messages.value.header.otherLanguage}
    </button>
  );
}
