/* answer-all PORT: sends every datagram back as it came, from the address that it was sent to (which may be any that is local to this namespace). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int count, char **words) {
  if (count < 2) return 2;
  int one = 1, large = 1 << 26, udp = socket(AF_INET, SOCK_DGRAM, 0);
  setsockopt(udp, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
  setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
  setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
  if (bind(udp, (void *)&here, sizeof here) < 0) {
    perror("bind");
    return 1;
  }
  for (;;) {
    static unsigned char bytes[2048], control[256];
    struct sockaddr_in from;
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(udp, &message, 0);
    struct cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header == NULL) continue;
    struct in_pktinfo *info = (void *)CMSG_DATA(header);
    info->ipi_spec_dst = info->ipi_addr;
    info->ipi_ifindex = 0;
    part.iov_len = length;
    message.msg_flags = 0;
    sendmsg(udp, &message, 0);
  }
}
