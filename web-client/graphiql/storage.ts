const PREFIX = "graphiql:";

/**
 * What GraphiQL keeps, its history with tokens in it, ends with the tab and leaves with the person.
 * Clearing it leaves alone what else the tab knows.
 */
export const storage = {
  get length(): number {
    return ownKeys().length;
  },
  getItem: (key: string) => sessionStorage.getItem(key),
  setItem: (key: string, value: string) => sessionStorage.setItem(key, value),
  removeItem: (key: string) => sessionStorage.removeItem(key),
  clear(): void {
    for (const key of ownKeys()) sessionStorage.removeItem(key);
  },
};

function ownKeys(): string[] {
  return Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
}
