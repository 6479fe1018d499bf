/* The places where each side writes one word and then reads the other's, with store buffers: each process's stores wait in a
   FIFO of two and reach memory at any later time; a fence waits until one's own FIFO is empty. A CAS reads memory and holds
   the word until its own store is out. RMW=0: that store may wait in the FIFO too (acquire-release, as on Arm). RMW=1: a CAS
   is a full fence (x86), which hides a fence left out behind a CAS.

   PAIR=1  SYNC(commit-doubt)    A, a writer, commits and looks at its claim; B, the reader, marks it DOUBT and looks at state
   PAIR=2  SYNC(asleep-commit)   A, a publisher, commits and looks at the wake word; B, the reader, announces sleep and looks at state
   PAIR=3  SYNC(head-room)       A, the reader, moves head and looks at the room word; B, a publisher, sets the flag and looks at head
   PAIR=4  SYNC(name-state)      A, a writer, names the inbox and reads the entry's state; B, a taker, marks it FREED and looks at the name

   FENCE_A, FENCE_B: 1 a full fence between the write and the read of that side, 0 none; FENCE_B=2: membarrier, which is a full
   fence in every process. Without a fence on either side the pair must fail, but for RMW=1 behind a CAS. */
#ifndef PAIR
#define PAIR 1
#endif
#ifndef FENCE_A
#define FENCE_A 1
#endif
#ifndef FENCE_B
#define FENCE_B 1
#endif
#ifndef RMW
#define RMW 0
#endif
#define A 0
#define B 1
#define X 0                 /* the word that A writes first:  state, state, head, name */
#define Y 1                 /* the word that B writes first:  claim, wake word, room word, state of the entry */
#define OWNED 0
#define DOUBT 1
#define REVOKED 2

typedef Fifo { byte n; byte word[2]; byte value[2] }
byte mem[2];
byte locked[2];             /* 1 + the process whose CAS of this word is not out yet */
Fifo fifo[2];
bool told, revoked, slept, woken, inside, taken, over[2];

inline store(x, v) {
  atomic { fifo[me].n < 2 -> fifo[me].word[fifo[me].n] = x; fifo[me].value[fifo[me].n] = v; fifo[me].n++ }
}
inline load(x, r) {         /* one's own youngest store, else memory */
  atomic {
    r = mem[x];
    if :: fifo[me].n > 0 && fifo[me].word[0] == x -> r = fifo[me].value[0] :: else fi;
    if :: fifo[me].n > 1 && fifo[me].word[1] == x -> r = fifo[me].value[1] :: else fi
  }
}
inline cas(x, from, to) {
  atomic {
#if RMW
    fifo[me].n == 0 && locked[x] == 0;
    ok = (mem[x] == from);
    if :: ok -> mem[x] = to :: else fi
#else
    fifo[me].n < 2 && locked[x] == 0;
    ok = (mem[x] == from);
    if :: ok -> locked[x] = me + 1; fifo[me].word[fifo[me].n] = x; fifo[me].value[fifo[me].n] = to; fifo[me].n++ :: else fi
#endif
  }
}
inline drain(p) {           /* for membarrier: process p has everything out */
  if :: fifo[p].n > 0 -> mem[fifo[p].word[0]] = fifo[p].value[0] :: else fi;
  if :: fifo[p].n > 1 -> mem[fifo[p].word[1]] = fifo[p].value[1] :: else fi;
  fifo[p].n = 0
}
inline fence() { (fifo[me].n == 0) }
inline fence_a() { if :: FENCE_A -> fence() :: else fi }
inline fence_b() {
#if FENCE_B == 2
  fence();
  atomic { drain(A) }
#elif FENCE_B == 1
  fence()
#else
  skip
#endif
}

proctype memory(byte p) {
end:
  do
  :: atomic {
       fifo[p].n > 0 && (locked[fifo[p].word[0]] == 0 || locked[fifo[p].word[0]] == p + 1) ->
       mem[fifo[p].word[0]] = fifo[p].value[0];
       if :: locked[fifo[p].word[0]] == p + 1 -> locked[fifo[p].word[0]] = 0 :: else fi;
       fifo[p].word[0] = fifo[p].word[1]; fifo[p].value[0] = fifo[p].value[1];
       fifo[p].word[1] = 0; fifo[p].value[1] = 0;
       fifo[p].n--
     }
  od
}

proctype side_a() {
  byte me = A, r; bool ok;
  store(X, 1);
  fence_a();
  load(Y, r);
#if PAIR == 1
  if
  :: r == OWNED -> told = 1
  :: r == DOUBT -> cas(Y, DOUBT, OWNED); if :: ok -> told = 1 :: else fi
  :: else
  fi;
#elif PAIR == 2 || PAIR == 3
  if :: r == 1 -> woken = 1 :: else fi;
#else
  if :: r == 0 -> inside = 1 :: else fi;
#endif
  over[A] = 1
}

proctype side_b() {
  byte me = B, r; bool ok;
#if PAIR == 1
  cas(Y, OWNED, DOUBT);
  fence_b();
  load(X, r);
  if
  :: r == 1 -> cas(Y, DOUBT, OWNED)
  :: else -> cas(Y, DOUBT, REVOKED); revoked = ok
  fi;
#elif PAIR == 2 || PAIR == 3
  cas(Y, 0, 1);
  fence_b();
  load(X, r);
  slept = (r == 0);
#else
  store(Y, 1);
  fence_b();
  load(X, r);
  taken = (r == 0);
#endif
  over[B] = 1
}

init {
  atomic { run side_a(); run side_b(); run memory(A); run memory(B) };
  timeout;
  assert(over[A] && over[B]);
  assert(!(told && revoked));           /* an event told as committed is passed over */
  assert(!(slept && !woken));           /* asleep, and nobody will wake it */
  assert(!(inside && taken))            /* inside an inbox that has a new owner */
}
