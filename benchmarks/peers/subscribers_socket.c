/* One subscriber of the load generator: joining, and what it is sent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "subscribers.h"

enum { READ = 1 << 20, LINE = 1 << 16, ADDRESSES = 64, SMALL_WINDOW = 4096 };

/* Sends one masked frame. The mask is zero, which leaves the payload as it is. */
static void say(struct subscriber *one, int opcode, const char *payload, size_t length) {
  static uint8_t bytes[LINE + LONGEST_HEAD];
  if (length > LINE)
    return;
  size_t head = write_head(bytes, opcode, length);
  bytes[1] |= MASKED;
  memset(bytes + head, 0, 4);
  memcpy(bytes + head + 4, payload, length);
  if (send(one->fd, bytes, head + 4 + length, MSG_NOSIGNAL) < 0 && errno != EPIPE &&
      errno != ECONNRESET)
    die("subscribers: send");
}

void leave(struct subscriber *one) {
  if (one->step == AWAY)
    return;
  if (one->step == JOINED) {
    joined--;
  } else {
    joining--;
    failed++;
  }
  close(one->fd);
  one->step = AWAY;
  one->rest_size = one->message_size = 0;
}

void join(struct subscriber *one) {
  struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
  struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = one};
  int yes = 1, small = SMALL_WINDOW;
  one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (one->fd < 0)
    die("subscribers: socket");
  /* Many source addresses: one has only some 28,000 ports. */
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(one->number % ADDRESSES));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons((uint16_t)port);
  setsockopt(one->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (one->is_stalled)
    setsockopt(one->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (bind(one->fd, (void *)&from, sizeof from))
    die("subscribers: bind");
  one->step = CONNECTING;
  one->started = now();
  one->base = one->seen = -1;
  joining++;
  epoll_ctl(epoll, EPOLL_CTL_ADD, one->fd, &wanted);
  if (connect(one->fd, (void *)&to, sizeof to) && errno != EINPROGRESS)
    leave(one);
}

void shake_hands(struct subscriber *one) {
  char request[512];
  int size = snprintf(request, sizeof request,
                      "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: %021dA==\r\n"
                      "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
                      port, one->number);
  struct epoll_event wanted = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = one};
  one->step = SHAKING_HANDS;
  epoll_ctl(epoll, EPOLL_CTL_MOD, one->fd, &wanted);
  if (send(one->fd, request, (size_t)size, MSG_NOSIGNAL) != size)
    leave(one);
}

/* The number that follows a JSON key for the first time, or -1. */
static long number_of(const uint8_t *json, size_t size, const char *key) {
  const uint8_t *at = memmem(json, size, key, strlen(key)), *end = json + size;
  long number = 0;
  if (!at)
    return -1;
  for (at += strlen(key); at < end && (*at == ':' || *at == ' '); at++)
    ;
  if (at == end || *at < '0' || *at > '9')
    return -1;
  for (; at < end && *at >= '0' && *at <= '9'; at++)
    number = number * 10 + (*at - '0');
  return number;
}

static void take_state(struct subscriber *one, const uint8_t *json, size_t size, uint64_t time) {
  long number = number_of(json, size, "\"cast\"");
  next_frames++;
  if (one->step == SUBSCRIBING) {
    one->step = JOINED;
    one->base = one->seen = number;
    join_times[joined++] = time - one->started;
    joining--;
    return;
  }
  if (one->seen < 0 || number <= one->seen)
    return;
  for (long k = one->seen - one->base; k < number - one->base && k < update_count; k++) {
    struct update *update = &updates[(size_t)one->group * (size_t)update_count + (size_t)k];
    if (!update->count++)
      update->first = time;
    update->last = time;
  }
  one->seen = number;
}

static int is_type(const uint8_t *json, size_t size, const char *type) {
  const uint8_t *at = memmem(json, size, "\"type\"", 6), *end = json + size;
  if (!at)
    return 0;
  for (at += 6; at < end && *at != '"'; at++)
    ;
  size_t length = strlen(type);
  return (size_t)(end - at) > length + 1 && !memcmp(at + 1, type, length) && at[length + 1] == '"';
}

static void take_message(struct subscriber *one, const uint8_t *json, size_t size, uint64_t time) {
  if (is_type(json, size, "next")) {
    take_state(one, json, size, time);
  } else if (is_type(json, size, "connection_ack")) {
    one->step = SUBSCRIBING;
    say(one, TEXT, one->subscribe, strlen(one->subscribe));
  } else if (is_type(json, size, "ping")) {
    say(one, TEXT, "{\"type\":\"pong\"}", 15);
  } else if (is_type(json, size, "error") || is_type(json, size, "complete")) {
    fprintf(stderr, "subscribers: %.*s\n", (int)(size < 400 ? size : 400), (const char *)json);
    leave(one);
  }
}

static void take_frame(struct subscriber *one, struct head head, uint8_t *payload, uint64_t time) {
  size_t size = (size_t)head.length;
  if (head.opcode == PING) {
    say(one, PONG, (char *)payload, size);
  } else if (head.opcode == CLOSE) {
    closes++;
    last_code = size >= 2 ? payload[0] << 8 | payload[1] : 0;
    leave(one);
  } else if (head.opcode == TEXT && head.is_final) {
    take_message(one, payload, size, time);
  } else if (head.opcode == TEXT || head.opcode == CONTINUATION) {
    one->message = grown(one->message, one->message_size + size);
    memcpy(one->message + one->message_size, payload, size);
    one->message_size += size;
    if (head.is_final) {
      take_message(one, one->message, one->message_size, time);
      one->message_size = 0;
    }
  }
}

static size_t take_answer(struct subscriber *one, uint8_t *bytes, size_t size) {
  uint8_t *end = memmem(bytes, size, "\r\n\r\n", 4);
  if (!end)
    return 0;
  if (memcmp(bytes, "HTTP/1.1 101 ", 13)) {
    fprintf(stderr, "subscribers: %.40s\n", bytes);
    leave(one);
  } else {
    one->step = SIGNING_IN;
    say(one, TEXT, one->init, strlen(one->init));
  }
  return (size_t)(end + 4 - bytes);
}

/* Reads what there is. Whole frames are taken where they lie; only the rest of one is copied. */
void take(struct subscriber *one) {
  static uint8_t fresh[READ];
  uint8_t *bytes = fresh;
  ssize_t got = recv(one->fd, fresh, READ, 0);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN)
      leave(one);
    return;
  }
  uint64_t time = now();
  size_t size = (size_t)got, at = 0;
  bytes_read += got;
  if (one->rest_size) {
    if (one->rest_room < one->rest_size + size)
      one->rest = grown(one->rest, one->rest_room = 2 * (one->rest_size + size));
    memcpy(one->rest + one->rest_size, fresh, size);
    size += one->rest_size;
    bytes = one->rest;
  }
  while (at < size && one->step != AWAY) {
    if (one->step == SHAKING_HANDS) {
      size_t answer = take_answer(one, bytes + at, size - at);
      if (!answer)
        break;
      at += answer;
      continue;
    }
    struct head head = read_head(bytes + at, size - at);
    if (!head.size || size - at < head.size + head.length)
      break;
    at += head.size;
    take_frame(one, head, bytes + at, time);
    at += head.length;
  }
  one->rest_size = one->step == AWAY ? 0 : size - at;
  if (one->rest_size && bytes == fresh && one->rest_room < one->rest_size)
    one->rest = grown(one->rest, one->rest_room = one->rest_size);
  if (one->rest_size)
    memmove(one->rest, bytes + at, one->rest_size);
}
