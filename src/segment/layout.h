/* The bytes of a bus: one file in /dev/shm, read by every process that attaches to it.
 *
 *   0          header          what this file is, its limits, where the tables begin
 *   ...        participants    one entry per attached process
 *   ...        writers         one entry per publishing thread and handle; id 0 is never leased
 *   ...        types           names of event types, in the order they were first seen
 *   ...        routes          per type: which inboxes get it, a bitmap and its summary
 *   ...        subscribers     per inbox: owner, policy, where its ring lies (changes rarely)
 *   ...        inbox lines     per inbox: the words that change with every event
 *   rings_at   rings           sparse; each inbox has one block cut from it:
 *                              [patterns, two copies][claims][slots]
 *   schemas_at registrations   sparse; schemas of event types, in the order of registration, and
 *              schemas         their bytes one after the other. Not mapped: read and written as a file
 *
 * The header parses as C11 and as C++20.  Words that processes change while others look are plain
 * integers here; src/words/ holds every access to them and every memory order.  Lines that
 * different processes write are SWB_LINE bytes apart.
 */
#ifndef SWARMBUS_SRC_SEGMENT_LAYOUT_H
#define SWARMBUS_SRC_SEGMENT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SWB_LAYOUT_ASSERT(condition) static_assert(condition, #condition)
#else
#define SWB_LAYOUT_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define SWB_LAYOUT_AT(type, field, offset) SWB_LAYOUT_ASSERT(offsetof(struct type, field) == (offset))

#define SWB_LAYOUT_MAGIC 0x5355424d52415753ull /* "SWARMBUS" read as little-endian bytes */
#define SWB_LAYOUT_VERSION 3u
#define SWB_LINE 128u
#define SWB_PAGE 4096u

#define SWB_WRITERS 4096u            /* ids 1 to 4095; 12 bits of a claim */
#define SWB_NAMED_INBOXES 16u        /* inboxes one writer can be inside at once */
#define SWB_NAME_BYTES 128u          /* longest type name or pattern (127) and its NUL */
#define SWB_SOURCE_BYTES 64u         /* longest source (63) and its NUL */
#define SWB_PATTERN_COPY_BYTES 2048u /* room for one copy of an inbox's patterns, each ended by NUL */
#define SWB_PATTERN_AREA_BYTES (2u * SWB_PATTERN_COPY_BYTES)
#define SWB_REGISTRATIONS 4096u      /* of schemas, the replaced ones included */
#define SWB_SCHEMAS_BYTES (8u << 20) /* room for all schemas */
#define SWB_TYPE_INLINE 0xffffu      /* the slot carries the type's name itself */

/* Byte ranges of open-file-description locks on the segment file. */
#define SWB_LOCK_CONTROL 0u
#define SWB_LOCK_CREATOR 1u
#define SWB_LOCK_PARTICIPANTS 64u /* participant i holds byte 64 + i for as long as it lives */

struct swb_l_header {
    uint64_t magic;
    uint64_t layout_hash; /* of version and every offset; stored last: 0 means not ready */
    uint32_t version;
    uint32_t slot_bytes;
    uint32_t max_participants;
    uint32_t max_subscribers;
    uint32_t max_types;
    uint32_t default_capacity;
    uint64_t ring_bytes; /* size of the ring region */
    uint64_t participants_at;
    uint64_t writers_at;
    uint64_t types_at;
    uint64_t routes_at;
    uint64_t subscribers_at;
    uint64_t lines_at;
    uint64_t rings_at;
    uint64_t file_bytes;
    uint64_t route_stride;
    uint64_t created_ns;
    uint8_t boot_id[16];
    uint64_t bus_id; /* random; names the directory of wake sockets and arenas */
    uint64_t schemas_at;
    uint32_t strict; /* 1: only types with a schema are published */
    uint8_t pad0[256 - 164];
    /* Control line: written under the control lock only. */
    uint64_t control; /* generation:63 | dirty:1 */
    uint32_t control_holder_pid;
    uint32_t types_used;
    uint32_t registrations; /* how many are whole */
    uint8_t pad1[SWB_LINE - 20];
    /* Where the search for a free writer id begins. */
    uint32_t next_writer;
    uint8_t pad2[SWB_LINE - 4];
    /* When somebody next looks for dead participants: one of all who wake from an idle second does. */
    uint64_t next_probe_ns; /* CLOCK_MONOTONIC */
    uint8_t pad3[SWB_LINE - 8];
};
SWB_LAYOUT_AT(swb_l_header, layout_hash, 8);
SWB_LAYOUT_AT(swb_l_header, version, 16);
SWB_LAYOUT_AT(swb_l_header, slot_bytes, 20);
SWB_LAYOUT_AT(swb_l_header, max_participants, 24);
SWB_LAYOUT_AT(swb_l_header, max_subscribers, 28);
SWB_LAYOUT_AT(swb_l_header, max_types, 32);
SWB_LAYOUT_AT(swb_l_header, default_capacity, 36);
SWB_LAYOUT_AT(swb_l_header, ring_bytes, 40);
SWB_LAYOUT_AT(swb_l_header, participants_at, 48);
SWB_LAYOUT_AT(swb_l_header, writers_at, 56);
SWB_LAYOUT_AT(swb_l_header, types_at, 64);
SWB_LAYOUT_AT(swb_l_header, routes_at, 72);
SWB_LAYOUT_AT(swb_l_header, subscribers_at, 80);
SWB_LAYOUT_AT(swb_l_header, lines_at, 88);
SWB_LAYOUT_AT(swb_l_header, rings_at, 96);
SWB_LAYOUT_AT(swb_l_header, file_bytes, 104);
SWB_LAYOUT_AT(swb_l_header, route_stride, 112);
SWB_LAYOUT_AT(swb_l_header, created_ns, 120);
SWB_LAYOUT_AT(swb_l_header, boot_id, 128);
SWB_LAYOUT_AT(swb_l_header, bus_id, 144);
SWB_LAYOUT_AT(swb_l_header, schemas_at, 152);
SWB_LAYOUT_AT(swb_l_header, strict, 160);
SWB_LAYOUT_AT(swb_l_header, control, 256);
SWB_LAYOUT_AT(swb_l_header, registrations, 256 + 16);
SWB_LAYOUT_AT(swb_l_header, next_writer, 256 + SWB_LINE);
SWB_LAYOUT_AT(swb_l_header, next_probe_ns, 256 + 2 * SWB_LINE);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_header) <= SWB_PAGE);

/* A process attached to the bus. */
struct swb_l_participant {
    uint64_t state; /* generation:32 | status:32 (swb_l_participant_status) */
    uint32_t pid;
    uint32_t barrier;       /* 1: registered for expedited membarrier; 0: its writers fence themselves */
    uint64_t start_ticks;   /* field 22 of /proc/PID/stat: with the pid it names one process */
    uint64_t pid_namespace; /* inode of /proc/PID/ns/pid: pids compare within one only */
    uint64_t joined_ns;
    char name[SWB_SOURCE_BYTES];
    uint8_t pad[SWB_LINE - 104];
};
enum swb_l_participant_status {
    SWB_PARTICIPANT_FREE = 0,
    SWB_PARTICIPANT_ALIVE = 1,
    SWB_PARTICIPANT_LEFT = 2,    /* it writes no more: whoever reaps frees what it left */
    SWB_PARTICIPANT_EXPELLED = 3 /* it lost its lock or its bus, and may still write until its process is gone */
};
SWB_LAYOUT_AT(swb_l_participant, pid, 8);
SWB_LAYOUT_AT(swb_l_participant, start_ticks, 16);
SWB_LAYOUT_AT(swb_l_participant, pid_namespace, 24);
SWB_LAYOUT_AT(swb_l_participant, joined_ns, 32);
SWB_LAYOUT_AT(swb_l_participant, name, 40);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_participant) == SWB_LINE);

/* A publishing thread with one handle. Written by that thread alone while it is leased. */
struct swb_l_writer {
    uint64_t lease;  /* lease:16 | participant + 1:16 (0 = free) | participant generation:32 */
    uint32_t inside; /* 1 while in publish */
    uint32_t pad0;
    uint64_t next_sequence;               /* goes on counting over leases: (id, sequence) is unique on a bus */
    uint32_t in_inbox[SWB_NAMED_INBOXES]; /* index + 1 of each inbox it may still write to */
    uint8_t pad1[SWB_LINE - 88];
    uint64_t source[SWB_SOURCE_BYTES / 8]; /* text, NUL-padded; kept after release for late readers */
    uint8_t pad2[SWB_LINE - SWB_SOURCE_BYTES];
};
SWB_LAYOUT_AT(swb_l_writer, inside, 8);
SWB_LAYOUT_AT(swb_l_writer, next_sequence, 16);
SWB_LAYOUT_AT(swb_l_writer, in_inbox, 24);
SWB_LAYOUT_AT(swb_l_writer, source, SWB_LINE);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_writer) == 2 * SWB_LINE);

/* The name of an event type. Never changes once name_bytes is set. */
struct swb_l_type {
    char name[SWB_NAME_BYTES];
    uint64_t hash;
    uint32_t name_bytes; /* stored last; 0 = not entered */
    uint8_t pad[20];
};
SWB_LAYOUT_AT(swb_l_type, hash, 128);
SWB_LAYOUT_AT(swb_l_type, name_bytes, 136);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_type) == 160);

/* A schema for an event type. Never changes: a schema that replaces it is a later registration. */
struct swb_l_registration {
    char type[SWB_NAME_BYTES];
    char root[SWB_NAME_BYTES]; /* the table that is the payload, with its namespaces */
    uint64_t hash;             /* of the schema's bytes and the root's name */
    uint64_t at;               /* of its bytes, from the end of all registrations */
    uint32_t bytes;
    uint32_t version; /* 1 for the first of its type */
    uint64_t registered_ns;
};
SWB_LAYOUT_AT(swb_l_registration, root, 128);
SWB_LAYOUT_AT(swb_l_registration, hash, 256);
SWB_LAYOUT_AT(swb_l_registration, at, 264);
SWB_LAYOUT_AT(swb_l_registration, bytes, 272);
SWB_LAYOUT_AT(swb_l_registration, version, 276);
SWB_LAYOUT_AT(swb_l_registration, registered_ns, 280);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_registration) == 288);

/* Who gets a type: route_stride bytes; a summary with one bit per word, then the words. */
struct swb_l_route {
    uint64_t summary;
    uint64_t words[1]; /* the first of many */
};
SWB_LAYOUT_AT(swb_l_route, words, 8);

/* What is fixed while an inbox has one owner. Written under the control lock. */
struct swb_l_subscriber {
    uint32_t participant;
    uint32_t participant_generation;
    uint64_t block_at;         /* offset in the ring region */
    uint64_t block_bytes;      /* 0 = has no block */
    uint32_t capacity;         /* slots, a power of two */
    uint32_t policy;           /* swb_overflow */
    uint32_t patterns_version; /* counts changes; its lowest bit says which copy is valid */
    uint32_t pattern_bytes[2];
    uint32_t pad0;
    uint64_t subscribed_ns;
    uint8_t pad1[SWB_LINE - 56];
};
SWB_LAYOUT_AT(swb_l_subscriber, block_at, 8);
SWB_LAYOUT_AT(swb_l_subscriber, block_bytes, 16);
SWB_LAYOUT_AT(swb_l_subscriber, capacity, 24);
SWB_LAYOUT_AT(swb_l_subscriber, policy, 28);
SWB_LAYOUT_AT(swb_l_subscriber, patterns_version, 32);
SWB_LAYOUT_AT(swb_l_subscriber, pattern_bytes, 36);
SWB_LAYOUT_AT(swb_l_subscriber, subscribed_ns, 48);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_subscriber) == SWB_LINE);

/* What changes with every event. Four lines: who may write and whether the owner sleeps; what every
 * publish writes; what a drop writes (an idle reader looks there without disturbing publishers);
 * what the reader (and publishers that evict or wait) write. */
struct swb_l_inbox {
    uint64_t gate; /* generation:48 | status:16 (swb_l_gate_status) */
    uint32_t wake; /* counter:30 | mode:2 */
    uint8_t pad0[SWB_LINE - 12];

    uint64_t hint; /* where to look for a free position; may be behind */
    uint8_t pad1[SWB_LINE - 8];

    uint64_t dropped; /* sum over causes, goes into the slots */
    uint64_t dropped_full;
    uint64_t dropped_timeout;
    uint64_t dropped_self;
    uint64_t dropped_no_slot;
    uint32_t slow; /* 1: publishers had no room since the reader last caught up */
    uint8_t pad2[SWB_LINE - 44];

    uint64_t head;      /* position:48 | evictions mod 65,536:16 */
    uint64_t holding;   /* first position:48 | count:16; count 0 = holds nothing */
    uint64_t evictions; /* nearest multiple of 65,536 for the 16 bits in head */
    uint32_t room;      /* counter:31 | waited for:1 */
    uint8_t pad3[SWB_LINE - 28];
};
enum swb_l_gate_status { SWB_GATE_FREE = 0, SWB_GATE_TAKING = 1, SWB_GATE_ACTIVE = 2, SWB_GATE_FREED = 3, SWB_GATE_DEAD = 4 };
SWB_LAYOUT_AT(swb_l_inbox, wake, 8);
SWB_LAYOUT_AT(swb_l_inbox, hint, SWB_LINE);
SWB_LAYOUT_AT(swb_l_inbox, dropped, 2 * SWB_LINE);
SWB_LAYOUT_AT(swb_l_inbox, dropped_full, 2 * SWB_LINE + 8);
SWB_LAYOUT_AT(swb_l_inbox, dropped_timeout, 2 * SWB_LINE + 16);
SWB_LAYOUT_AT(swb_l_inbox, dropped_self, 2 * SWB_LINE + 24);
SWB_LAYOUT_AT(swb_l_inbox, dropped_no_slot, 2 * SWB_LINE + 32);
SWB_LAYOUT_AT(swb_l_inbox, slow, 2 * SWB_LINE + 40);
SWB_LAYOUT_AT(swb_l_inbox, head, 3 * SWB_LINE);
SWB_LAYOUT_AT(swb_l_inbox, holding, 3 * SWB_LINE + 8);
SWB_LAYOUT_AT(swb_l_inbox, evictions, 3 * SWB_LINE + 16);
SWB_LAYOUT_AT(swb_l_inbox, room, 3 * SWB_LINE + 24);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_inbox) == 4 * SWB_LINE);

/* A slot. Optional fields follow in the order of their flags, each a multiple of 8 bytes, then the
 * payload. Texts are stored as one byte of length, the text, and at least one NUL. */
struct swb_l_slot {
    uint64_t state;    /* lap:48 | status:16 */
    uint64_t sequence; /* sequence of the writer:48 | its lease:16 */
    uint64_t time_ns;  /* since 1970 */
    uint16_t type;     /* index in the type table, or SWB_TYPE_INLINE */
    uint16_t writer;
    uint16_t payload_bytes;
    uint8_t flags;
    uint8_t encoding;
};
enum swb_l_slot_flags {
    SWB_SLOT_DROPPED = 1,      /* 8 bytes: the inbox's sum of drops when the slot was claimed */
    SWB_SLOT_TYPE = 2,         /* text: the type's name, when it is not in the table */
    SWB_SLOT_SOURCE = 4,       /* text: a source other than the writer's own */
    SWB_SLOT_SUBJECT = 8,      /* text */
    SWB_SLOT_CORRELATION = 16, /* reserved: 16 bytes, correlation and reply-to */
    SWB_SLOT_TRACE = 32,       /* reserved: 32 bytes, trace context */
    SWB_SLOT_LARGE = 64        /* struct swb_l_large instead of the payload, which lies in an arena */
};
SWB_LAYOUT_AT(swb_l_slot, sequence, 8);
SWB_LAYOUT_AT(swb_l_slot, time_ns, 16);
SWB_LAYOUT_AT(swb_l_slot, type, 24);
SWB_LAYOUT_AT(swb_l_slot, writer, 26);
SWB_LAYOUT_AT(swb_l_slot, payload_bytes, 28);
SWB_LAYOUT_AT(swb_l_slot, flags, 30);
SWB_LAYOUT_AT(swb_l_slot, encoding, 31);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_slot) == 32);

/* Where a large payload lies: in a file of its publisher's process. */
struct swb_l_large {
    uint16_t participant;
    uint16_t serial; /* a participant's arenas, one after the other */
    uint32_t participant_generation;
    uint64_t offset;
    uint64_t bytes;
};
SWB_LAYOUT_AT(swb_l_large, offset, 8);
SWB_LAYOUT_ASSERT(sizeof(struct swb_l_large) == 24);

#endif
