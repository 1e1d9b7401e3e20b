// SPDX-License-Identifier: Apache-2.0
/* The card's codes, as errno and as sentences. */
#include <errno.h>

#include "homa_nic.h"

int homa_nic_code_errno(uint32_t code)
{
	switch (code) {
	case HOMA_NIC_CODE_OK:
		return 0;
	case HOMA_NIC_CODE_BUSY:
		return -EAGAIN;
	case HOMA_NIC_CODE_BAD_SLOT:
	case HOMA_NIC_CODE_BAD_FLAGS:
	case HOMA_NIC_CODE_NOT_IN_POOL:
		return -EINVAL;
	case HOMA_NIC_CODE_SLOT_IN_USE:
		return -EBUSY;
	case HOMA_NIC_CODE_BAD_SIZE:
		return -EMSGSIZE;
	case HOMA_NIC_CODE_BAD_BUFFER:
		return -EFAULT;
	case HOMA_NIC_CODE_BAD_CALL:
		return -ENOSYS;
	case HOMA_NIC_CODE_BAD_PEER:
		return -EDESTADDRREQ;
	case HOMA_NIC_CODE_NO_MAP:
		return -ENXIO;
	case HOMA_NIC_CODE_NO_RPC:
	case HOMA_NIC_CODE_NO_RECVMSG:
		return -ENOENT;
	case HOMA_NIC_CODE_WRONG_STATE:
		return -EALREADY;
	case HOMA_NIC_CODE_TABLE_FULL:
		return -ENOBUFS;
	case HOMA_NIC_CODE_TIMED_OUT:
		return -ETIMEDOUT;
	case HOMA_NIC_CODE_UNREACHABLE:
		return -EHOSTUNREACH;
	case HOMA_NIC_CODE_PORT_UNREACHABLE:
		return -ECONNREFUSED;
	case HOMA_NIC_CODE_CANCELLED:
		return -ECANCELED;
	case HOMA_NIC_CODE_CLOSED:
		return -ECONNABORTED;
	case HOMA_NIC_CODE_DMA_ERROR:
		return -EIO;
	case HOMA_NIC_CODE_LINK_DOWN:
		return -ENETDOWN;
	default:
		return -EPROTO;
	}
}

const char *homa_nic_code_text(uint32_t code)
{
#define CODE_TEXT(number, name, text) \
	case number:                  \
		return text;
	switch (code) {
		HOMA_NIC_CODES(CODE_TEXT)
	default:
		return "unknown code: the card is newer than this library";
	}
#undef CODE_TEXT
}
