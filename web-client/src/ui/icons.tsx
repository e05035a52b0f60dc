import type { ComponentChildren } from "preact";
import type { OptionKind } from "../gql/graphql";

// Icons repeat what the text beside them says, so screen readers pass over them.

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export function CheckIcon() {
  return (
    <Icon>
      <path d="M5 12.5l4.5 4.5L19 7.5" />
    </Icon>
  );
}

function CrossIcon() {
  return (
    <Icon>
      <path d="M6.5 6.5l11 11M17.5 6.5l-11 11" />
    </Icon>
  );
}

function DashIcon() {
  return (
    <Icon>
      <path d="M6 12h12" />
    </Icon>
  );
}

export function OptionIcon({ kind }: { kind: OptionKind }) {
  if (kind === "FOR") return <CheckIcon />;
  return kind === "AGAINST" ? <CrossIcon /> : <DashIcon />;
}

export function PeopleIcon() {
  return (
    <Icon>
      <circle cx="9" cy="8" r="3.5" />
      <path d="M2.5 19.5c.8-3.4 3.4-5 6.5-5s5.7 1.6 6.5 5M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.9c1.9.8 3 2.4 3.5 4.6" />
    </Icon>
  );
}

export function ClockIcon() {
  return (
    <Icon>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M12 7v5.5l3.5 2" />
    </Icon>
  );
}

export function BrandIcon() {
  return (
    <svg class="brand-icon" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M8.5 17l5 5L24 10.5" />
    </svg>
  );
}
