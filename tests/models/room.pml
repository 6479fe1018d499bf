/* The room word of a blocking inbox. Two publishers wait for room, one reader frees; the first publisher may die anywhere
   (DIE=1: the flag it leaves behind does no harm). The sleep of at most 1 ms is left out, so that a lost wake-up shows.

   Shown: nobody waits for ever, also when the owner goes away (CLOSE=2: flag cleared, one added, all woken).

   Steps that can be left out, each of which must fail:
   LATE=1        the waiter looks at head before it sets the flag
   KEEP=1        the reader clears the flag without adding one
   CLOSE=1       the owner frees the inbox without touching the room word */
#ifndef LATE
#define LATE 0
#endif
#ifndef KEEP
#define KEEP 0
#endif
#ifndef DIE
#define DIE 1
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef MSGS
#define MSGS 2
#endif
#define CAP 1
byte used = 0, count = 0;
bit flag = 0, parked[3];
bool done[3], gone = 0;

inline maybe_die() { if :: me == 1 && DIE -> goto out :: true fi }

proctype publisher(byte me) {
  byte k = 0, c; bit f;
  do
  :: k == MSGS || gone -> break
  :: else ->
     atomic { f = (used < CAP); if :: f -> used++ :: else fi };
     if
     :: f -> k++
     :: else ->
#if LATE
        f = (used < CAP);
        maybe_die();
        atomic { flag = 1; c = count };
#else
        atomic { flag = 1; c = count };                     /* full fence */
        maybe_die();
        f = (used < CAP || gone);
#endif
        if
        :: f
        :: else ->
           atomic { if :: count == c && flag -> parked[me] = 1 :: else fi };        /* FUTEX_WAIT */
end_park:
           (parked[me] == 0)
        fi
     fi
  od;
out: done[me] = 1
}

inline wake_all() { atomic { parked[1] = 0; parked[2] = 0 } }

proctype reader() {
end_r:
  do
  :: used > 0 ->
     used--;                                                /* store head, full fence */
     if
     :: flag ->
#if KEEP
        flag = 0;
#else
        atomic { flag = 0; count++ };
#endif
        wake_all()
     :: else
     fi
#if CLOSE
  :: !gone ->
     gone = 1;
#if CLOSE == 2
     atomic { flag = 0; count++ };
     wake_all();
#endif
     break
#endif
  od
}

init {
  atomic { run publisher(1); run publisher(2); run reader() };
  timeout;
  assert(done[1] && done[2])
}
