import { useEffect } from "preact/hooks";

/** Calls `refresh` at once, every so many milliseconds while the page is seen, and when it is seen again. */
export function useRefresh(refresh: () => void, milliseconds: number): void {
  useEffect(() => {
    const refreshIfSeen = () => document.hidden || refresh();
    refresh();
    const timer = setInterval(refreshIfSeen, milliseconds);
    document.addEventListener("visibilitychange", refreshIfSeen);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", refreshIfSeen);
    };
  }, [refresh, milliseconds]);
}
