/* The floor: what the kernel and one send() per subscriber cost, with nothing on top.
 *
 *     floor PORT STATE_LENGTH
 *
 * Speaks as much of graphql-transport-ws as the other servers do in this benchmark. A subscriber is
 * sent the state at once, and again after each POST, which counts as one more ballot. The frame is
 * encoded once for each ballot; for each subscriber only the operation's id is copied into it.
 * STATE_LENGTH pads the state, so that its frames are as long as those of the others.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "websocket.h"

enum { ID = 65, EVENTS = 512, READ = 65536, FRAME = 65536 };

struct connection {
  int fd;
  int is_websocket;
  int place; /* in `subscribers`; -1: none */
  char id[ID];
  uint8_t *rest; /* what has arrived of an unfinished request or frame */
  size_t rest_size;
};

static struct connection **subscribers;
static size_t count, room;
static uint8_t frame[FRAME];
static size_t frame_size, id_at, id_length;
static unsigned long cast;
static size_t state_length;

/* Encodes the frame of the present state, with a gap for an id of that length. */
static void encode(size_t length_of_id) {
  static char message[FRAME - LONGEST_HEAD];
  int at = snprintf(message, sizeof message, "{\"id\":\"");
  memset(message + at, '-', length_of_id);
  size_t size = (size_t)at + length_of_id;
  size += (size_t)snprintf(message + size, sizeof message - size,
                           "\",\"type\":\"next\",\"payload\":{\"data\":{\"vote\":");
  size_t before = size;
  size += (size_t)snprintf(message + size, sizeof message - size,
                           "{\"version\":%lu,\"tally\":{\"cast\":%lu},\"options\":\"", cast, cast);
  while (size - before < state_length - 2 && size < sizeof message - 8)
    message[size++] = 'x';
  size += (size_t)snprintf(message + size, sizeof message - size, "\"}}}}");
  size_t head = write_head(frame, TEXT, size);
  memcpy(frame + head, message, size);
  frame_size = head + size;
  id_at = head + (size_t)at;
  id_length = length_of_id;
}

static void must_send(int fd, const void *bytes, size_t size) {
  if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size && errno != EPIPE && errno != ECONNRESET)
    die("floor: a subscriber does not read, which this program does not know");
}

static void push(struct connection *one) {
  size_t length = strlen(one->id);
  if (length != id_length)
    encode(length);
  memcpy(frame + id_at, one->id, length);
  must_send(one->fd, frame, frame_size);
}

static void reply(struct connection *one, const char *text) {
  uint8_t bytes[256];
  size_t length = strlen(text), head = write_head(bytes, TEXT, length);
  memcpy(bytes + head, text, length);
  must_send(one->fd, bytes, head + length);
}

static void subscribe(struct connection *one, const char *message) {
  const char *id = strstr(message, "\"id\":\"");
  if (!id || sscanf(id + 6, "%64[^\"]", one->id) != 1 || one->place >= 0)
    return;
  if (count == room) {
    room = room ? room * 2 : 1024;
    subscribers = realloc(subscribers, room * sizeof *subscribers);
    if (!subscribers)
      die("floor");
  }
  one->place = (int)count;
  subscribers[count++] = one;
  push(one);
}

static void leave(struct connection *one) {
  if (one->place >= 0) {
    subscribers[one->place] = subscribers[--count];
    subscribers[one->place]->place = one->place;
  }
  close(one->fd);
  free(one->rest);
  free(one);
}

/* Takes one request off the front; returns its size, or 0 when it is not all here. */
static size_t take_request(struct connection *one, char *bytes, size_t size) {
  char *end = memmem(bytes, size, "\r\n\r\n", 4);
  if (!end)
    return 0;
  size_t head = (size_t)(end + 4 - bytes), body = 0;
  *end = 0;
  char *key = strcasestr(bytes, "\nsec-websocket-key: ");
  char *length = strcasestr(bytes, "\ncontent-length: ");
  if (key) {
    char accept[29], answer[256];
    accept_key(key + 20, accept);
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                     "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
                     accept);
    must_send(one->fd, answer, (size_t)n);
    one->is_websocket = 1;
    return head;
  }
  if (length)
    body = strtoul(length + 17, NULL, 10);
  if (size < head + body) {
    *end = '\r';
    return 0;
  }
  if (!strncmp(bytes, "POST", 4)) {
    cast++;
    encode(id_length);
    for (size_t i = 0; i < count; i++)
      push(subscribers[i]);
  }
  static const char *answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                              "Content-Length: 2\r\n\r\n{}";
  must_send(one->fd, answer, strlen(answer));
  return head + body;
}

/* Takes one frame off the front; returns its size, or 0 when it is not all here. */
static size_t take_frame(struct connection *one, uint8_t *bytes, size_t size) {
  struct head head = read_head(bytes, size);
  if (!head.size || size < head.size + head.length)
    return 0;
  uint8_t *payload = bytes + head.size;
  for (uint64_t i = 0; i < head.length; i++)
    payload[i] ^= head.mask[i % 4];
  static char message[READ];
  snprintf(message, sizeof message, "%.*s", (int)head.length, (char *)payload);
  if (head.opcode == TEXT && strstr(message, "\"connection_init\""))
    reply(one, "{\"type\":\"connection_ack\"}");
  else if (head.opcode == TEXT && strstr(message, "\"subscribe\""))
    subscribe(one, message);
  return head.size + head.length;
}

/* Returns whether the connection is still there. */
static int serve(struct connection *one) {
  static uint8_t bytes[2 * READ];
  if (one->rest)
    memcpy(bytes, one->rest, one->rest_size);
  ssize_t got = recv(one->fd, bytes + one->rest_size, READ, 0);
  if (got <= 0)
    return got < 0 && errno == EAGAIN;
  size_t size = one->rest_size + (size_t)got, at = 0, taken = 1;
  while (at < size && taken) {
    taken = one->is_websocket ? take_frame(one, bytes + at, size - at)
                              : take_request(one, (char *)bytes + at, size - at);
    at += taken;
  }
  one->rest_size = size - at;
  if (one->rest_size > READ)
    return 0;
  free(one->rest);
  one->rest = one->rest_size ? malloc(one->rest_size) : NULL;
  if (one->rest)
    memcpy(one->rest, bytes + at, one->rest_size);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: floor PORT STATE_LENGTH\n");
    return 2;
  }
  state_length = strtoul(argv[2], NULL, 10);
  encode(36);
  int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096))
    die("floor: listen");
  struct epoll_event wanted = {.events = EPOLLIN}, events[EVENTS];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted);
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      struct connection *one = events[i].data.ptr;
      if (one) {
        if (!serve(one))
          leave(one);
        continue;
      }
      int fd;
      while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        one = calloc(1, sizeof *one);
        if (!one)
          die("floor");
        one->fd = fd;
        one->place = -1;
        struct epoll_event reads = {.events = EPOLLIN, .data.ptr = one};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &reads);
      }
    }
  }
}
