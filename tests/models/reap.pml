/* Reaping. Process 1 may die at any step; a reaper settles the claims of its writer id 1 as the writer would have done and
   only then releases the id, which an heir in process 3 leases and publishes with at once (HEIR=1). Publisher 2 and the
   reader go on meanwhile.

   REAPERS=2: two processes may reap. The control lock lets one in at a time and is freed by its holder's death; the first
   reaper may die at any step (RDIE=1) and the second begins anew.

   Shown beyond inbox.pml: no event of the heir is taken for one of the dead, no slot stays set aside once the dead is reaped,
   and what one reaper left half done the next one finishes.

   Steps that can be left out, each of which must fail:
   REAPLOOK=0    the reaper does not look at the claim again after its SKIP
   REAPCAS=0     it stores state instead of a CAS from the value read before the claim
   EARLYFREE=1   it releases the id before the claims are settled
   LOCK=0        two reapers at once (without an heir this is harmless, unless REAPCAS=0 or REAPLOOK=0)
   RECHECK=0     the second reaper does not look again, under the lock, whose the id is
   STALEDEAD=1   an evictor remembers a death by writer id
   and READYONLY, PASSBLIND and the others of protocol.pmli. */
#ifndef CRASH
#define CRASH 1
#endif
#ifndef HEIR
#define HEIR 1
#endif
#ifndef REAPERS
#define REAPERS 1
#endif
#ifndef RDIE
#define RDIE 0
#endif
#ifndef LOCK
#define LOCK 1
#endif
#ifndef RECHECK
#define RECHECK 1
#endif
#ifndef REAPLOOK
#define REAPLOOK 1
#endif
#ifndef REAPCAS
#define REAPCAS 1
#endif
#ifndef EARLYFREE
#define EARLYFREE 0
#endif
#ifndef STALEDEAD
#define STALEDEAD 0
#endif
#define PROCS 5
#define REMEMBERED(w) (STALEDEAD && (w) == 1 && gone[1])
#include "protocol.pmli"

byte lock = 0;              /* the process that holds the control lock */

proctype producer(byte me, tag, proc, n) MORTAL(proc) {
  PUBLISHER_LOCALS;
  {
  if
  :: tag == 3 -> atomic { lease[me] == 0 -> lease[me] = proc }         /* the heir */
  :: else
  fi;
  do
  :: k > n -> break
  :: else -> publish(); atomic { forget(); pos = 0; t = 0; k++ }
  od;
  done[tag] = 1
  } UNTIL_DEATH(proc)
}

proctype consumer() ALIVE { READER_LOCALS; do :: receive() od }

/* Settle slot i for the dead writer 1: as it would have done itself, until the claim reads OWNED with state at its position. */
proctype reaper(byte proc) provided (!dying && !gone[proc]) {
  byte i = 0, sp, ss, q, o, m; bool ok;
  gone[1];                                                              /* the evidence */
#if LOCK
  atomic { lock == 0 -> lock = proc };
#endif
#if RECHECK
  if :: lease[1] != 1 -> goto out :: else fi;                           /* somebody has reaped it */
#endif
#if EARLYFREE
  lease[1] = 0;
#endif
  do
  :: i == CAP -> break
  :: else -> skip;
again:
     atomic { sp = slot[i].pos; ss = slot[i].st };                      /* state before claim */
     atomic {
       q = claim[i].pos; o = claim[i].owner; m = claim[i].mark;
       if
       :: o != 1 || (m == OWNED && sp == q) -> i++; goto next           /* finished, or passed over */
       :: else
       fi
     };
     atomic {
       if
       :: sp == q && m == DOUBT -> cas_claim(i, q, 1, DOUBT, q, 1, OWNED)
       :: sp == q && m == REVOKED && ss == SKIP -> cas_claim(i, q, 1, REVOKED, q, 1, OWNED)
       :: else ->                                                       /* unfinished */
          if :: REAPCAS && (slot[i].pos != sp || slot[i].st != ss) :: else -> slot[i].pos = q; slot[i].st = SKIP fi;
#if !REAPLOOK
          goto blind
#endif
       fi
     };
     goto again;
#if !REAPLOOK
blind:
     if :: m == REVOKED -> cas_claim(i, q, 1, REVOKED, q, 1, OWNED); if :: !ok -> goto again :: else fi :: else fi;
     i++;
#endif
next: skip
  od;
  lease[1] = 0;
out:
  atomic { i = 0; sp = 0; ss = 0; q = 0; o = 0; m = 0; ok = 0; if :: LOCK -> lock = 0 :: else fi }
}

proctype killer() { atomic { !done[1] -> gone[1] = 1; die(1) } }
proctype reaper_killer() { atomic { gone[1] -> gone[4] = 1; if :: lock == 4 -> lock = 0 :: else fi } }

init {
  byte i = 0, k = 0, n = 0;
  atomic {
    lay_out(i);
    lease[1] = 1; lease[2] = 2;
    run producer(1, 1, 1, MSGS); run producer(2, 2, 2, MSGS2);
    if :: HEIR -> run producer(1, 3, 3, 1) :: else fi;
    run consumer();
    run reaper(4); if :: REAPERS == 2 -> run reaper(5) :: else fi;
    if :: CRASH -> run killer() :: else fi;
    if :: RDIE -> run reaper_killer() :: else fi
  };
  timeout;
  atomic {
    balance(1, 2, gone[1] && i == 1);
    if :: HEIR && gone[1] -> balance(3, 3, 0) :: else fi;
    assert(lease[1] != 1 || !gone[1]);
    assert(lock == 0);
    i = 0;
    do :: i < CAP -> assert(claim[i].mark != REVOKED); i++ :: else -> break od
  }
}
