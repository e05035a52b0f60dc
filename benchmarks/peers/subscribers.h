/* What the load generator's two files share: its sockets and what it counts. */
#ifndef SUBSCRIBERS_H
#define SUBSCRIBERS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket.h"

enum step { AWAY, CONNECTING, SHAKING_HANDS, SIGNING_IN, SUBSCRIBING, JOINED };

struct subscriber {
  int number, group, is_stalled, fd;
  const char *init, *subscribe; /* the messages it sends */
  enum step step;
  long base, seen;  /* ballots cast when joined, and now; -1: its state does not tell */
  uint64_t started; /* of joining, in ns */
  uint8_t *rest;    /* of an unfinished frame */
  size_t rest_size, rest_room;
  uint8_t *message; /* the fragments of an unfinished message */
  size_t message_size;
};

/* When the first and the last subscriber of a group were shown one update, and how many were. */
struct update {
  uint64_t first, last;
  long count;
};

extern struct subscriber *subscribers;
extern struct update *updates; /* [group][k - 1] */
extern uint64_t *join_times;   /* in ns */
extern int update_count, port, epoll;
extern int joining, joined, failed;
extern long next_frames, bytes_read, closes, last_code;

uint64_t now(void);
void *grown(void *memory, size_t size);

void join(struct subscriber *one);
void leave(struct subscriber *one);
void shake_hands(struct subscriber *one);
void take(struct subscriber *one);

#endif
