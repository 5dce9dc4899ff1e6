/*
 * delayline MS NAMESPACE:DEVICE NAMESPACE:DEVICE
 *
 * Two TUN devices, each in a network namespace of its own, joined with a fixed delay each way: what `tc netem delay` does where the kernel has it.
 * It runs until it is killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define RING 65536 /* packets under way in one direction; more are dropped, as on a real line */
#define AT_ONCE 512

struct packet {
  double due; /* seconds */
  size_t length;
  unsigned char *bytes;
};
struct ring {
  struct packet *packets;
  unsigned head, tail;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static int fail(const char *what) {
  perror(what);
  exit(1);
}

/* Makes the TUN device DEVICE in the namespace NAMESPACE, and stays there. */
static int tun(const char *spec) {
  const char *colon = strchr(spec, ':');
  if (colon == NULL) fail(spec);
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%.*s", (int)(colon - spec), spec);
  int namespace = open(path, O_RDONLY);
  if (namespace < 0 || setns(namespace, CLONE_NEWNET) != 0) fail(path);
  close(namespace);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strncpy(request.ifr_name, colon + 1, IFNAMSIZ - 1);
  if (device < 0 || ioctl(device, TUNSETIFF, &request) != 0) fail("/dev/net/tun");
  return device;
}

static void take_in(int device, struct ring *ring, double due) {
  static unsigned char buffer[65536];
  for (int i = 0; i < AT_ONCE; i++) {
    ssize_t length = read(device, buffer, sizeof buffer);
    if (length <= 0) return;
    if (ring->tail - ring->head >= RING) continue;
    struct packet *packet = &ring->packets[ring->tail++ % RING];
    *packet = (struct packet){.due = due, .length = (size_t)length, .bytes = malloc((size_t)length)};
    if (packet->bytes == NULL) fail("malloc");
    memcpy(packet->bytes, buffer, (size_t)length);
  }
}

/* Lets out what is due; returns when the next packet is, or 0 where there is none. */
static double let_out(int device, struct ring *ring) {
  while (ring->head != ring->tail) {
    struct packet *packet = &ring->packets[ring->head % RING];
    if (packet->due > now()) return packet->due;
    if (write(device, packet->bytes, packet->length) < 0) { /* the other side is down: lost */ }
    free(packet->bytes);
    ring->head++;
  }
  return 0;
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: delayline MS NAMESPACE:DEVICE NAMESPACE:DEVICE\n");
    return 2;
  }
  double delay = atof(words[1]) / 1000;
  int devices[2] = {tun(words[2]), tun(words[3])};
  struct ring rings[2];
  for (int i = 0; i < 2; i++) rings[i] = (struct ring){.packets = calloc(RING, sizeof(struct packet))};
  for (;;) {
    double next = 0;
    for (int i = 0; i < 2; i++) {
      take_in(devices[i], &rings[i], now() + delay);
      double due = let_out(devices[1 - i], &rings[i]);
      if (due != 0 && (next == 0 || due < next)) next = due;
    }
    double wait = next == 0 ? 1 : next - now();
    if (wait < 0) wait = 0;
    struct timespec timeout = {.tv_sec = (time_t)wait, .tv_nsec = (long)((wait - (double)(time_t)wait) * 1e9)};
    struct pollfd ready[2] = {{.fd = devices[0], .events = POLLIN}, {.fd = devices[1], .events = POLLIN}};
    ppoll(ready, 2, &timeout, NULL);
  }
}
