/* One inbox, two publishers in two processes, one reader. The first publisher may die at any step (CRASH=1), the reader may
   suspect the living (STALL=n). Nothing is reaped here: the dead writer's claims stay as they are.

   Shown: no event is lost, doubled, torn or out of order within its stream; no position is left without an owner; nobody
   waits for the dead or the stopped; whoever was suspected in vain gives the slot back.
   Parameters and the steps that can be left out: protocol.pmli. */
#ifndef CRASH
#define CRASH 0
#endif
#include "protocol.pmli"

proctype producer(byte me, tag, n) MORTAL(me) {
  PUBLISHER_LOCALS;
  {
  do
  :: k > n -> break
  :: else -> publish(); atomic { forget(); pos = 0; t = 0; k++ }
  od;
  done[tag] = 1
  } UNTIL_DEATH(me)
}

proctype consumer() ALIVE { READER_LOCALS; do :: receive() od }

proctype killer() { atomic { !done[1] -> gone[1] = 1; die(1) } }

init {
  byte i = 0, k = 0, n = 0;
  atomic {
    lay_out(i);
    lease[1] = 1; lease[2] = 2;
    run producer(1, 1, MSGS); run producer(2, 2, MSGS2); run consumer();
    if :: CRASH -> run killer() :: else fi
  };
  timeout;
  atomic {
    balance(1, 2, gone[1] && i == 1);
    i = 0;
    do :: i < CAP -> assert(claim[i].mark != REVOKED || gone[claim[i].owner]); i++ :: else -> break od
  }
}
