/* connect-floor RATE TIMEOUT_MS FIRST_ADDRESS ADDRESSES PORT...: what a TCP connect sweep costs at the least.
   Non-blocking connects at a rate, one epoll, time-outs in order, resets; nothing is read and nothing is kept. Says how many were tried and how many opened. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

static char open_now[65536];
static void end(int socket) {
  struct linger reset = {1, 0};
  if (!open_now[socket]) return;
  open_now[socket] = 0;
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(socket);
}

int main(int count, char **words) {
  if (count < 6) return 2;
  double rate = atof(words[1]), timeout = atof(words[2]), begun = now(), last = begun, tokens = 0;
  unsigned first = ntohl(inet_addr(words[3])), addresses = atoi(words[4]), ports = count - 5;
  long total = (long)addresses * ports, sent = 0, oldest = 0, opened = 0;
  struct { int socket; double until; } *tries = calloc(total, sizeof *tries);
  static int owner_of[65536]; /* the try that has a descriptor: one that came back early may have been given out again */
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int epoll = epoll_create1(0);
  struct epoll_event events[512];
  while (oldest < total) {
    double at = now();
    tokens += (at - last) * rate / 1000;
    last = at;
    if (tokens > 64) tokens = 64;
    for (; tokens >= 1 && sent < total; sent++, tokens--) {
      int one = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      if (one < 0 || one >= 65536) { fprintf(stderr, "no socket\n"); return 1; }
      struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(words[5 + sent % ports])), .sin_addr.s_addr = htonl(first + sent / ports)};
      struct epoll_event event = {.events = EPOLLOUT, .data.fd = one};
      open_now[one] = 1;
      owner_of[one] = sent;
      tries[sent].socket = one;
      tries[sent].until = at + timeout;
      if (connect(one, (void *)&to, sizeof to) < 0 && errno != EINPROGRESS) end(one);
      else epoll_ctl(epoll, EPOLL_CTL_ADD, one, &event);
    }
    int ready = epoll_wait(epoll, events, 512, 1);
    for (int i = 0; i < ready; i++) {
      if (!(events[i].events & (EPOLLERR | EPOLLHUP))) opened++;
      end(events[i].data.fd);
    }
    for (at = now(); oldest < sent && tries[oldest].until < at; oldest++)
      if (owner_of[tries[oldest].socket] == oldest) end(tries[oldest].socket);
  }
  printf("%ld tried, %ld open\n", total, opened);
  return 0;
}
