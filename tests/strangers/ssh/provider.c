/*
 * A middleware library for OpenSSH (its sk-api.h) that asks a key somewhere else: what ssh wants to have signed goes over a unix
 * socket to whoever holds the key, and what they answer goes back. The socket is beside the library: key.sock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION 0x000a0000 /* of the interface, since OpenSSH 8.9 */
#endif
#define GENERAL (-1)
#define UNSUPPORTED (-2)

struct sk_sign_response {
	uint8_t flags;
	uint32_t counter;
	uint8_t *sig_r;
	size_t sig_r_len;
	uint8_t *sig_s;
	size_t sig_s_len;
};

static int all(int out, int fd, void *at, size_t length)
{
	char *next = at;
	while (length > 0) {
		ssize_t done = out ? write(fd, next, length) : read(fd, next, length);
		if (done <= 0)
			return -1;
		next += done;
		length -= (size_t)done;
	}
	return 0;
}

static int put(int fd, const void *at, size_t length)
{
	uint8_t head[4] = { length >> 24, length >> 16, length >> 8, length };
	return all(1, fd, head, 4) || all(1, fd, (void *)at, length);
}

static uint8_t *get(int fd, size_t *length)
{
	uint8_t head[4], *at;
	if (all(0, fd, head, 4))
		return NULL;
	*length = ((size_t)head[0] << 24) | (head[1] << 16) | (head[2] << 8) | head[3];
	if (*length > 65536 || (at = calloc(1, *length + 1)) == NULL)
		return NULL;
	if (all(0, fd, at, *length)) {
		free(at);
		return NULL;
	}
	return at;
}

/* Writes where the socket is, beside this very library, so that it is compiled once for all keys. */
static int beside(char *path, size_t size)
{
	Dl_info own;
	const char *end;

	if (dladdr((void *)beside, &own) == 0 || (end = strrchr(own.dli_fname, '/')) == NULL)
		return 0;
	return (size_t)snprintf(path, size, "%.*s/key.sock", (int)(end - own.dli_fname), own.dli_fname) < size;
}

uint32_t sk_api_version(void) { return VERSION; }

int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len, const char *application, uint8_t flags,
    const char *pin, void **options, void **response)
{
	return UNSUPPORTED;
}

int sk_load_resident_keys(const char *pin, void **options, void ***keys, size_t *count) { return UNSUPPORTED; }

int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len, const char *application, const uint8_t *key_handle,
    size_t key_handle_len, uint8_t flags, const char *pin, void **options, struct sk_sign_response **response)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct sk_sign_response *made = calloc(1, sizeof(*made));
	uint8_t *head = NULL;
	size_t length = 0;
	int status = GENERAL, fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!beside(address.sun_path, sizeof(address.sun_path)))
		goto out;
	if (made == NULL || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		goto out;
	if (put(fd, &flags, 1) || put(fd, pin ? pin : "", pin ? strlen(pin) : 0) || put(fd, application, strlen(application)) ||
	    put(fd, key_handle, key_handle_len) || put(fd, data, data_len))
		goto out;
	if ((head = get(fd, &length)) == NULL || length != 6)
		goto out;
	status = (int8_t)head[0];
	if (status != 0)
		goto out;
	made->flags = head[1];
	made->counter = ((uint32_t)head[2] << 24) | (head[3] << 16) | (head[4] << 8) | head[5];
	made->sig_r = get(fd, &made->sig_r_len);
	made->sig_s = get(fd, &made->sig_s_len);
	if (made->sig_r == NULL || made->sig_s == NULL) {
		status = GENERAL;
		goto out;
	}
	*response = made;
	made = NULL;
out:
	free(head);
	free(made);
	if (fd >= 0)
		close(fd);
	return status;
}
