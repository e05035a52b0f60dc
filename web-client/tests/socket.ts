/** A socket whose other end is the test. */
export class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  static opened: FakeSocket[] = [];
  /** Whether servers take connections. */
  static answers = true;

  readyState = FakeSocket.OPEN;
  isDeaf = false;
  sent: { type: string; id: string; payload?: object }[] = [];
  onopen?: () => void;
  onclose?: (event: object) => void;
  onmessage?: (event: { data: string }) => void;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeSocket.opened.push(this);
    if (FakeSocket.answers) queueMicrotask(() => this.onopen?.());
  }

  send(text: string): void {
    const message = JSON.parse(text);
    this.sent.push(message);
    if (message.type === "connection_init") this.says({ type: "connection_ack" });
    if (message.type === "ping" && !this.isDeaf) this.says({ type: "pong" });
  }

  says(message: object): void {
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(message) }));
  }

  close(code = 1000, reason = ""): void {
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ code, reason });
  }
}

/** Pushes the data to whatever subscribed with an operation of this name; fails where nothing did. */
export function push(socket: FakeSocket, operation: string, data: object): void {
  const isMeant = ({ type, payload }: FakeSocket["sent"][number]) =>
    type === "subscribe" && JSON.stringify(payload).includes(`subscription ${operation}(`);
  const found = socket.sent.find(isMeant);
  if (!found) throw new Error(`Nothing subscribed to ${operation}.`);
  socket.says({ type: "next", id: found.id, payload: { data } });
}
