// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults that a shell cannot make for the guest script "faults": fault null, fault opcode,
 * fault poison, fault hold-hpet, fault overwrite FILE TEXT, or fault syn-flood ADDRESS PORT COUNT.
 *
 * The first three end by a signal, of a page without memory, of an instruction, and of a page
 * whose memory is told to be broken. The fourth has the HPET stand still for a moment. The
 * fifth makes a byte of the first TEXT in FILE another one. The last sends first packets of
 * connections, from addresses that do not answer.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const char usage[] =
"usage: fault null | opcode | poison | hold-hpet | overwrite FILE TEXT |\n"
"             syn-flood ADDRESS PORT COUNT";

#define PAGE		4096

/* Where PCs have it, and its register that has the bit that lets it run */
#define HPET		0xfed00000
#define HPET_CONFIG	16
#define HPET_RUNS	1

/* Of the processor's clock, at its rates a tenth of a second or more */
#define HELD_CYCLES	500000000

static int poison(void)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(1, "no memory");
	memset(page, 1, PAGE);
	if (madvise(page, PAGE, MADV_HWPOISON))
		err(1, "the kernel does not take a page out of use");
	return __atomic_load_n(page, __ATOMIC_RELAXED);
}

/* It cannot sleep: the clock that it holds may be the one that wakes it. */
static void hold_hpet(void)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	uint32_t *config, value;
	uint64_t begin;
	void *hpet;

	if (fd < 0)
		err(1, "/dev/mem");
	hpet = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, HPET);
	if (hpet == MAP_FAILED)
		err(1, "/dev/mem; the kernel wants iomem=relaxed");
	config = hpet + HPET_CONFIG;
	value = __atomic_load_n(config, __ATOMIC_ACQUIRE);
	__atomic_store_n(config, value & ~HPET_RUNS, __ATOMIC_RELEASE);
	begin = __builtin_ia32_rdtsc();
	while (__builtin_ia32_rdtsc() - begin < HELD_CYCLES)
		;
	__atomic_store_n(config, value | HPET_RUNS, __ATOMIC_RELEASE);
}

static void overwrite(const char *path, const char *text)
{
	int fd = open(path, O_RDWR);
	struct stat file;
	char *bytes, *found;

	if (fd < 0 || fstat(fd, &file))
		err(1, "%s", path);
	bytes = mmap(NULL, file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		err(1, "%s", path);
	found = memmem(bytes, file.st_size, text, strlen(text));
	if (!found)
		errx(1, "%s: it does not have %s", path, text);
	*found ^= 1;
}

/* The Internet's checksum of an even number of bytes */
static uint16_t checksum(const void *bytes, size_t size, uint32_t sum)
{
	const uint16_t *at = bytes;

	for (; size; size -= 2)
		sum += *at++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static uint32_t sum_of_address(uint32_t address)
{
	return (address & 0xffff) + (address >> 16);
}

static void syn_flood(const char *address, uint16_t port, unsigned int count)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(address) };
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} packet = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
			.daddr = to.sin_addr.s_addr, .tot_len = htons(sizeof(packet)) },
		.tcp = { .dest = htons(port), .doff = 5, .syn = 1, .window = htons(1024) },
	};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0)
		err(1, "a raw socket, for which this needs root");
	for (unsigned int i = 0; i < count; i++) {
		packet.ip.saddr = htonl(ntohl(to.sin_addr.s_addr) + 256 + i);
		packet.tcp.source = htons(1024 + i % 60000);
		packet.tcp.seq = htonl(i);
		packet.tcp.check = 0;
		packet.tcp.check = checksum(&packet.tcp, sizeof(packet.tcp),
					    sum_of_address(packet.ip.saddr) +
					    sum_of_address(packet.ip.daddr) +
					    htons(IPPROTO_TCP) + htons(sizeof(packet.tcp)));
		if (sendto(fd, &packet, sizeof(packet), 0, (void *)&to, sizeof(to)) < 0)
			err(1, "%s", address);
	}
}

int main(int argc, char **argv)
{
	const char *null = NULL;

	/* It must not know that this is NULL. */
	__asm__("" : "+r"(null));
	if (argc == 2 && !strcmp(argv[1], "null"))
		return *null;
	if (argc == 2 && !strcmp(argv[1], "opcode"))
		__builtin_trap();
	if (argc == 2 && !strcmp(argv[1], "poison"))
		return poison();
	if (argc == 2 && !strcmp(argv[1], "hold-hpet"))
		hold_hpet();
	else if (argc == 4 && !strcmp(argv[1], "overwrite"))
		overwrite(argv[2], argv[3]);
	else if (argc == 5 && !strcmp(argv[1], "syn-flood"))
		syn_flood(argv[2], atoi(argv[3]), atoi(argv[4]));
	else
		errx(2, "%s", usage);
	return 0;
}
