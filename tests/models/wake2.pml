/* Waking in both modes and changes between them. One reader that may sleep on the futex or wait on its datagram socket, two
   publishers, of which the first may die between any two steps (DIE=1). The word is a counter and a mode. The timer of one
   second is left out, so that a lost wake-up shows.

   Parameters: MODES=1 descriptor only; SPUR how often the reader returns by itself (a timer, a signal).

   Shown: when nothing moves any more the reader has taken all, but for the last event of one that died before its wake-up.

   Steps that can be left out, each of which must fail:
   FIRST=0       CAS waiting -> notified before the datagram: a death in between silences all others
   DRAIN=1       the socket is drained after the announcement
   UNIQ=0        an announcement may repeat an earlier word */
#ifndef FIRST
#define FIRST 1
#endif
#ifndef DRAIN
#define DRAIN 0
#endif
#ifndef UNIQ
#define UNIQ 1
#endif
#ifndef MSGS
#define MSGS 2
#endif
#ifndef SPUR
#define SPUR 2
#endif
#ifndef DIE
#define DIE 1
#endif
#ifndef MODES
#define MODES 2
#endif
#define AWAKE 0
#define ASLEEP 1
#define WAITING 2
#define NOTIFIED 3
byte events = 0, taken = 0, count = 0, mode = AWAKE, sock = 0, last = 0, spur = 0;
bit parked = 0;
bool done[3], dead1 = 0;

inline maybe_die() { if :: me == 1 && DIE -> dead1 = 1; goto out :: true fi }
inline send() { atomic { if :: sock < 2 -> sock++ :: else fi } }
inline notify() { atomic { ok = (count == c && mode == WAITING); if :: ok -> mode = NOTIFIED :: else fi } }

proctype publisher(byte me) {
  byte k = 0, c, m; bit ok;
  do
  :: k == MSGS -> break
  :: else ->
     atomic { events++; last = me };                        /* commit, full fence */
look:
     maybe_die();
     atomic { c = count; m = mode };
     if
     :: m == ASLEEP -> count++; maybe_die(); parked = 0     /* FUTEX_WAKE */
     :: m == WAITING ->
#if FIRST
        send();
        maybe_die();
        notify()
#else
        notify();
        maybe_die();
        if :: ok -> send() :: else -> goto look fi
#endif
     :: else
     fi;
     atomic { c = 0; m = 0; ok = 0; k++ }
  od;
out:
  atomic { c = 0; m = 0; ok = 0; done[me] = 1 }
}

proctype reader() {
  byte c;
end_r:
  do
  :: taken < events -> taken = events
  :: else ->
     if
     :: MODES == 2 ->
        atomic { count = count + UNIQ; c = count; mode = ASLEEP };
        if
        :: taken < events -> mode = AWAKE
        :: else ->
           atomic { if :: count == c && mode == ASLEEP -> parked = 1 :: else fi };
end_park:
           do
           :: parked == 0 -> break
           :: spur < SPUR -> atomic { spur++; parked = 0 }; break
           od;
           mode = AWAKE
        fi
     :: true ->
#if !DRAIN
        sock = 0;
#endif
        atomic { count = count + UNIQ; mode = WAITING };
#if DRAIN
        sock = 0;
#endif
        if
        :: taken < events -> mode = AWAKE
        :: else ->
end_wait:
           do
           :: sock > 0 -> break
           :: spur < SPUR -> spur++; break
           od;
           mode = AWAKE
        fi
     fi;
     c = 0
  od
}

init {
  atomic { run publisher(1); run publisher(2); run reader() };
  (done[1] && done[2]);
  timeout;
  assert(taken == events || (dead1 && last == 1))
}
