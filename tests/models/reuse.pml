/* Reuse of an inbox. Owner 1 leaves (or dies, RCRASH=1); a taker makes sure that no publisher is inside, settles what is set
   aside, and owner 2 goes on with the ring as it is: head and hint one past the highest claim. (The code empties the ring instead;
   docs/models.md says what that leaves to be shown.)

   A publisher reads the bitmap, names the inbox, reads the entry's state and goes on only if it is ACTIVE; it clears the name
   after its last look at the claim. The taker marks the entry FREED, then (membarrier; see SYNC(name-state) in tso.pml) looks
   at the names and waits for every publisher that is not dead. Publisher 1 may die at any step (CRASH=1). The control lock is
   not modelled: there is one taker.

   Shown: no event of owner 1's time reaches owner 2, owner 2 loses none of its own, and no give-back hits its claims.

   Steps that can be left out, each of which must fail:
   NOQUIET=1     the taker does not look at the names
   LATENAME=1    a publisher reads the entry's state before it names the inbox
   EARLYCLEAR=1  it clears the name after its commit, before its look at the claim
   SETTLE=1      the taker settles only claims of the dead, whose id (RELEASE=1) has been leased anew by then
   START=1       owner 2 starts at `hint` instead of one past the highest claim
   and those of protocol.pmli. */
#ifndef CRASH
#define CRASH 0
#endif
#ifndef RCRASH
#define RCRASH 0
#endif
#ifndef NOQUIET
#define NOQUIET 0
#endif
#ifndef LATENAME
#define LATENAME 0
#endif
#ifndef EARLYCLEAR
#define EARLYCLEAR 0
#endif
#ifndef SETTLE
#define SETTLE 2
#endif
#ifndef RELEASE
#define RELEASE 0
#endif
#ifndef START
#define START 0
#endif
#define ACTIVE 1
#define FREED 2
#define DEAD 3
#define STREAMS 2
#define PROCS 4
#define GAPLESS (gen == 1)
#define GIVEUP (estate != ACTIVE)
#define LEAVING (gen == 1)
#define COUNTED(i) (slot[i].gen == 2)
#define COUNTING (g == 2)
#define STAMP(i) slot[i].gen = g
#define STAMPED(i) (slot[i].gen == gen)
#if EARLYCLEAR
#define COMMITTED at[me] = 0
#endif
#include "protocol.pmli"

byte estate = ACTIVE, egen = 1;     /* the entry: its state word */
bit bitmap = 1;
bit at[3];                          /* by writer: it names this inbox */
bool released;                      /* the id of the dead has a new owner */

proctype producer(byte me, tag, n) MORTAL(me) {
  PUBLISHER_LOCALS; byte g = 0;
  {
  do
  :: k > n -> break
  :: else ->
     if :: !bitmap -> goto passed :: else fi;
#if LATENAME
     atomic { if :: estate == ACTIVE -> g = egen :: else -> goto passed fi };
     at[me] = 1;
#else
     at[me] = 1;
     atomic { if :: estate == ACTIVE -> g = egen :: else -> goto passed fi };
#endif
     publish();
passed:
     atomic { at[me] = 0; forget(); g = 0; pos = 0; t = 0; k++ }
  od;
  done[tag] = 1
  } UNTIL_DEATH(me)
}

/* Process 3 of this model is owner 1 (Spin allows no parameter here). */
proctype consumer(byte gen) provided (!dying && (_pid != 3 || !gone[4])) {
  READER_LOCALS;
  if :: gen == 2 -> goto take :: else fi;
begin:
  do
  :: gen == 1 ->                                            /* at any time between two events owner 1 leaves */
     atomic { p = 0; o = 0; m = 0; s = 0; w = 0; q = 0; n = 0; j = 0; ok = 0; h = 0; bitmap = 0 };
     estate = FREED;
     goto over
  :: receive()
  od;
take:
  (estate != ACTIVE);
  bitmap = 0;
  estate = FREED;                                           /* membarrier */
#if !NOQUIET
  (!at[1] || gone[1]);
  (!at[2] || gone[2]);
#endif
  atomic { released = (RELEASE && gone[1]); n = 0; h = 0 };
  do
  :: n < CAP ->
     atomic { p = claim[n].pos; o = claim[n].owner; m = claim[n].mark };
     if
     :: m == REVOKED && (SETTLE == 2 || (SETTLE == 1 && gone[o] && !released)) ->
        store_state(n, p, SKIP);
        cas_claim(n, p, o, REVOKED, p, o, OWNED); assert(ok || NOQUIET)
     :: else
     fi;
     if :: p > h -> h = p :: else fi;
     n++
  :: else -> break
  od;
  atomic { holding = NONE; hcount = 0 };
#if START
  head = hint;
#else
  hint = h + 1; head = h + 1;
#endif
  atomic { egen = 2; seen[1] = 0; seen[2] = 0; estate = ACTIVE };
  bitmap = 1;
  atomic { p = 0; o = 0; m = 0; s = 0; w = 0; q = 0; n = 0; j = 0; ok = 0; h = 0 };
  goto begin;
over: skip
}

proctype killer() { atomic { !done[1] -> gone[1] = 1; die(1) } }
proctype owner_killer() { atomic { estate == ACTIVE && egen == 1 -> gone[4] = 1; slot[0].rd = 0; slot[1].rd = 0; estate = DEAD } }

init {
  byte i = 0, k = 0, n = 0;
  atomic {
    lay_out(i);
    lease[1] = 1; lease[2] = 2;
    run producer(1, 1, MSGS); run producer(2, 2, MSGS2); run consumer(1); run consumer(2);
    if :: CRASH -> run killer() :: else fi;
    if :: RCRASH -> run owner_killer() :: else fi
  };
  timeout;
  atomic {
    assert(egen == 2);
    balance(1, 2, gone[1] && i == 1);
    i = 0;
    do :: i < CAP -> assert(claim[i].mark != REVOKED || (gone[claim[i].owner] && !released)); i++ :: else -> break od
  }
}
