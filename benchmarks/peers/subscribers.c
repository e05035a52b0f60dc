/* The load generator: any number of graphql-transport-ws subscribers in one thread.
 *
 *     subscribers PORT SUBSCRIBERS UPDATES WINDOW STALLED
 *
 * SUBSCRIBERS is a file with one line for each: a group, the connection_init and the subscribe
 * message, with tabs between. A group follows one vote; groups are numbered from 0. An update is
 * one ballot more: a state that says "cast":7 after one that said 5 delivers two updates. At most
 * WINDOW join at the same time. STALLED of them, evenly spread, stop reading after "stall".
 *
 * Commands come line by line on stdin, and one line of JSON answers each: join, drop, stall, wait K
 * (until all who read have been shown K updates), report, quit. Times are nanoseconds of
 * CLOCK_MONOTONIC, which all processes of a machine share.
 *
 * It stays awake for AWAKE nanoseconds after whatever came. Otherwise it would fall asleep between
 * two frames, and whoever sends the next pays for waking it, more for a slow server than for a
 * quick one: subscribers on other machines cost nobody that. `cpu` counts the work, not the waiting.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "subscribers.h"

enum { EVENTS = 512, AWAKE = 2000000 };

struct subscriber *subscribers;
struct update *updates;
uint64_t *join_times;
int update_count, port, epoll;
int joining, joined, failed;
long next_frames, bytes_read, closes, last_code;

static int subscriber_count, group_count, window, stalls;
static int started, is_joining; /* of the command "join" */
static long waited = -1;        /* of the command "wait" */
static int checked;
static uint64_t join_began;
static uint64_t worked; /* nanoseconds spent on what came, not on waiting for it */

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void *grown(void *memory, size_t size) {
  void *bigger = realloc(memory, size);
  if (!bigger)
    die("subscribers");
  return bigger;
}

static void read_subscribers(const char *path) {
  char *line = NULL;
  size_t room = 0;
  FILE *file = fopen(path, "r");
  if (!file)
    die(path);
  while (getline(&line, &room, file) > 0) {
    struct subscriber one = {.number = subscriber_count};
    char *copy = strdup(line);
    one.group = atoi(strtok(copy, "\t"));
    one.init = strtok(NULL, "\t");
    one.subscribe = strtok(NULL, "\t\n");
    if (!one.subscribe)
      die(path);
    if (one.group >= group_count)
      group_count = one.group + 1;
    subscribers = grown(subscribers, (size_t)(subscriber_count + 1) * sizeof one);
    subscribers[subscriber_count++] = one;
  }
  free(line);
  fclose(file);
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void join_more(void) {
  if (!is_joining)
    return;
  while (started < subscriber_count && joining < window) {
    struct subscriber *one = &subscribers[started++];
    if (one->step == AWAY)
      join(one);
  }
  if (joining || started < subscriber_count)
    return;
  is_joining = 0;
  qsort(join_times, (size_t)joined, sizeof *join_times, ascending);
  printf("{\"joined\":%d,\"failed\":%d,\"began\":%lu,\"ended\":%lu,\"p50\":%lu,\"p99\":%lu}\n",
         joined, failed, join_began, now(), joined ? join_times[joined / 2] : 0,
         joined ? join_times[joined * 99 / 100] : 0);
}

static void answer_waiting(void) {
  if (waited < 0)
    return;
  for (; checked < subscriber_count; checked++) { /* who was shown it once is not asked again */
    const struct subscriber *one = &subscribers[checked];
    if (one->step == JOINED && !one->is_stalled && one->seen >= 0 && one->seen - one->base < waited)
      return;
  }
  waited = -1;
  printf("{\"reached\":%lu}\n", now());
}

static void report(void) {
  int steps[JOINED + 1] = {0};
  for (int i = 0; i < subscriber_count; i++)
    steps[subscribers[i].step]++;
  printf("{\"cpu\":%.6f,\"next\":%ld,\"bytes\":%ld,\"joined\":%d,\"closes\":%ld,\"last_code\":%ld,"
         "\"away\":%d,\"connecting\":%d,\"signing_in\":%d,\"subscribing\":%d,\"updates\":[",
         (double)worked * 1e-9, next_frames, bytes_read, joined, closes, last_code, steps[AWAY],
         steps[CONNECTING] + steps[SHAKING_HANDS], steps[SIGNING_IN], steps[SUBSCRIBING]);
  for (int group = 0; group < group_count; group++) {
    printf("%s[", group ? "," : "");
    for (int k = 0; k < update_count; k++) {
      struct update u = updates[(size_t)group * (size_t)update_count + (size_t)k];
      printf("%s[%lu,%lu,%ld]", k ? "," : "", u.first, u.last, u.count);
    }
    printf("]");
  }
  printf("]}\n");
}

static void stall(void) {
  for (int i = 0; i < subscriber_count; i++)
    if (subscribers[i].is_stalled && subscribers[i].step == JOINED)
      epoll_ctl(epoll, EPOLL_CTL_DEL, subscribers[i].fd, NULL);
  printf("{\"stalled\":%d}\n", stalls);
}

static void drop(void) {
  for (int i = 0; i < subscriber_count; i++)
    leave(&subscribers[i]);
  failed = 0;
  printf("{\"dropped\":%d}\n", subscriber_count);
}

static void obey(const char *command) {
  if (!strcmp(command, "join")) {
    started = 0;
    is_joining = 1;
    join_began = now();
  } else if (!strcmp(command, "report")) {
    report();
  } else if (!strcmp(command, "stall")) {
    stall();
  } else if (!strcmp(command, "drop")) {
    drop();
  } else if (!strncmp(command, "wait ", 5)) {
    waited = atol(command + 5);
    checked = 0;
  } else {
    exit(0);
  }
}

/* Several commands may come at once, and one in pieces. */
static void obey_stdin(void) {
  static char text[4096];
  static size_t size;
  ssize_t got = read(0, text + size, sizeof text - size - 1);
  if (got <= 0)
    exit(0);
  size += (size_t)got;
  text[size] = 0;
  char *line = text, *end;
  while ((end = strchr(line, '\n'))) {
    *end = 0;
    obey(line);
    line = end + 1;
  }
  size -= (size_t)(line - text);
  memmove(text, line, size);
}

static void start(char **argv) {
  port = atoi(argv[1]);
  read_subscribers(argv[2]);
  update_count = atoi(argv[3]);
  window = atoi(argv[4]);
  stalls = atoi(argv[5]);
  join_times = calloc((size_t)subscriber_count, sizeof *join_times);
  updates = calloc((size_t)group_count * (size_t)update_count, sizeof *updates);
  if (!join_times || !updates)
    die("subscribers");
  for (long i = 0; i < subscriber_count; i++)
    subscribers[i].is_stalled =
        (i + 1) * stalls / subscriber_count > i * stalls / subscriber_count;
  setvbuf(stdout, NULL, _IOLBF, 1 << 16);
  epoll = epoll_create1(0);
  struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &commands);
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: subscribers PORT SUBSCRIBERS UPDATES WINDOW STALLED\n");
    return 2;
  }
  start(argv);
  struct epoll_event events[EVENTS];
  uint64_t last = 0;
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, now() - last < AWAKE ? 0 : -1);
    if (!ready)
      continue;
    uint64_t began = now();
    for (int i = 0; i < ready; i++) {
      struct subscriber *one = events[i].data.ptr;
      if (!one)
        obey_stdin();
      else if (one->step == CONNECTING && events[i].events & (EPOLLERR | EPOLLHUP))
        leave(one);
      else if (one->step == CONNECTING)
        shake_hands(one);
      else if (one->step != AWAY)
        take(one);
    }
    join_more();
    answer_waiting();
    last = now();
    worked += last - began;
  }
}
