import { useEffect, useState } from "preact/hooks";
import { type Matter, OwnAttendanceDocument, type OwnAttendanceQuery } from "../gql/graphql";
import { request } from "../server/request";

export type Proxies = NonNullable<OwnAttendanceQuery["proxies"]>;

/** A matter in which absent members may have others vote for them. */
export interface ProxyMatter {
  matter: Matter;
  /** For how many one member may vote. */
  most: number;
}

export interface OwnAttendance {
  isPresent: boolean;
  proxies: Proxies;
  proxyMatters: ProxyMatter[];
}

const UNKNOWN: OwnAttendance = {
  // Checking in twice does no harm, so in doubt it is offered.
  isPresent: false,
  proxies: { holder: null, givers: [] },
  proxyMatters: [],
};

/** Asked once, and again by `ask`; null until it is known. */
export function useOwnAttendance(meetingId: string, unitId: string, memberId: string) {
  const [own, setOwn] = useState<OwnAttendance | null>(null);
  const ask = async () => {
    const answer = await request(OwnAttendanceDocument, { meetingId, unitId });
    setOwn(ownAttendanceOf(answer, memberId));
  };
  useEffect(() => {
    ask().catch(() => setOwn(UNKNOWN));
  }, [meetingId, unitId, memberId]);
  return { own, ask };
}

export function ownAttendanceOf(
  { meeting, rules, proxies }: OwnAttendanceQuery,
  memberId: string,
): OwnAttendance {
  const line = meeting?.attendance.find(({ member }) => member.id === memberId);
  return {
    isPresent: line?.status === "PRESENT",
    proxies: proxies ?? UNKNOWN.proxies,
    proxyMatters: (rules ?? []).flatMap(({ matter, rule }) =>
      rule.proxies === null ? [] : [{ matter, most: rule.proxies }],
    ),
  };
}
