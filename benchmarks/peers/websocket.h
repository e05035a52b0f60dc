/* What both C programs need of WebSocket (RFC 6455): opcodes, frame heads, the handshake's answer.
 */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTINUATION = 0, TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };
enum { FINAL = 0x80, MASKED = 0x80, LONGEST_HEAD = 14 };

/* The head of a frame, as far as it has arrived. */
struct head {
  int opcode;
  int is_final;
  int is_masked;
  uint8_t mask[4];
  uint64_t length; /* of the payload */
  size_t size;     /* of the head itself; 0: not all of it is here */
};

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

static inline struct head read_head(const uint8_t *bytes, size_t available) {
  struct head head = {0};
  if (available < 2)
    return head;
  head.opcode = bytes[0] & 0x0f;
  head.is_final = bytes[0] & FINAL;
  head.is_masked = bytes[1] & MASKED;
  head.length = bytes[1] & 0x7f;
  int more = head.length == 126 ? 2 : head.length == 127 ? 8 : 0;
  size_t size = 2 + more + (head.is_masked ? 4 : 0);
  if (available < size)
    return head;
  if (more) {
    head.length = 0;
    for (int i = 0; i < more; i++)
      head.length = head.length << 8 | bytes[2 + i];
  }
  if (head.is_masked)
    memcpy(head.mask, bytes + 2 + more, 4);
  head.size = size;
  return head;
}

/* Writes the head of a final frame, without a mask; returns its size. */
static inline size_t write_head(uint8_t *bytes, int opcode, uint64_t length) {
  bytes[0] = FINAL | opcode;
  int more = length < 126 ? 0 : length < 65536 ? 2 : 8;
  bytes[1] = more == 0 ? (uint8_t)length : more == 2 ? 126 : 127;
  for (int i = 0; i < more; i++)
    bytes[2 + i] = (uint8_t)(length >> 8 * (more - 1 - i));
  return 2 + more;
}

static inline uint32_t rotate(uint32_t word, int bits) {
  return word << bits | word >> (32 - bits);
}

/* SHA-1 of a text of at most 119 bytes, which a handshake's key never exceeds. */
static inline void sha1(const char *text, size_t length, uint8_t digest[20]) {
  uint8_t padded[128] = {0};
  size_t size = length < 56 ? 64 : 128;
  memcpy(padded, text, length);
  padded[length] = 0x80;
  padded[size - 2] = (uint8_t)(length * 8 >> 8);
  padded[size - 1] = (uint8_t)(length * 8);
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (size_t block = 0; block < size; block += 64) {
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++) {
      const uint8_t *p = padded + block + 4 * i;
      w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
    }
    for (int i = 16; i < 80; i++)
      w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
      uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d
                                                                   : (b & c) | (b & d) | (c & d);
      uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
      uint32_t next = rotate(a, 5) + f + e + k + w[i];
      e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
  }
  for (int i = 0; i < 20; i++)
    digest[i] = (uint8_t)(h[i / 4] >> 8 * (3 - i % 4));
}

/* Sec-WebSocket-Accept for a key of 24 characters: 28 characters and a zero. */
static inline void accept_key(const char *key, char answer[29]) {
  static const char *alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char text[61];
  uint8_t digest[21] = {0};
  snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  sha1(text, 60, digest);
  for (int i = 0; i < 7; i++) {
    uint32_t three = (uint32_t)digest[3 * i] << 16 | digest[3 * i + 1] << 8 | digest[3 * i + 2];
    for (int j = 0; j < 4; j++)
      answer[4 * i + j] = alphabet[three >> 6 * (3 - j) & 63];
  }
  answer[27] = '=';
  answer[28] = 0;
}

#endif
