/* Two threads of one process publish, each with a writer id of its own, and die together: at any point, each in whatever step
   it is in. The third publisher is another process (OTHER=0 leaves it out). The reader finds up to two unfinished positions of
   the same death, the other publisher evicts past them.

   SHAREID=1: the two threads share one writer id. Must fail: an event is delivered twice, or torn.
   Parameters and the steps that can be left out: protocol.pmli. */
#ifndef CRASH
#define CRASH 1
#endif
#ifndef OTHER
#define OTHER 1
#endif
#ifndef SHAREID
#define SHAREID 0
#endif
#include "protocol.pmli"

proctype producer(byte me, tag, proc, n) MORTAL(proc) {
  PUBLISHER_LOCALS;
  {
  do
  :: k > n -> break
  :: else -> publish(); atomic { forget(); pos = 0; t = 0; k++ }
  od;
  done[tag] = 1
  } UNTIL_DEATH(proc)
}

proctype consumer() ALIVE { READER_LOCALS; do :: receive() od }

proctype killer() { atomic { !done[1] || !done[2] -> gone[1] = 1; die(1); die(2) } }

init {
  byte i = 0, k = 0, n = 0;
  atomic {
    lay_out(i);
    lease[1] = 1; lease[2] = 1; lease[3] = 2;
    run producer(1, 1, 1, MSGS);
    run producer((SHAREID -> 1 : 2), 2, 1, MSGS2);
    if :: OTHER -> run producer(3, 3, 2, MSGS2) :: else -> done[3] = 1 fi;
    run consumer();
    if :: CRASH -> run killer() :: else fi
  };
  timeout;
  atomic {
    balance(1, 3, gone[1] && i < 3);
    i = 0;
    do :: i < CAP -> assert(claim[i].mark != REVOKED || gone[lease[claim[i].owner]]); i++ :: else -> break od
  }
}
