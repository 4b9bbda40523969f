"""The theory of §3.2 and Appendix E, worked out and tried.

`exponents` has the exponents of the bound, `bound` the bound itself, `recursion` the recursion (34)-(35) that
it is proved for, `network` the two-layer network (5)-(9) that this stands for, `experiment` compares them.
Numbers in brackets are the paper's equations.

What Appendix E leaves open or misprints, and how it is read here:

====================  ===============================================  =======================================
where                 what it says                                     how it is read
====================  ===============================================  =======================================
before (20), (18)     ν is the power of R0 in λ1, then in the bound    that in the bound; 2r times the first
before (19)           R0^α                                             R0^ν
(7), (9); (34)        the penalty pulls to the start; to zero          both: penalties `start` and `origin`
(17), B cases         λ1 must exceed the balance of (a1) and (h)       (a0) exceeding (h) suffices, and always
                                                                       does: the second number of (26) and the
                                                                       bound on r1 of (32) are sufficient, not
                                                                       necessary
ζ = r / (2r + 1)      cases I and II both hold, with different ν       both are named
(29), (32)            0 < ζ, but the text includes a constant η1       0 ≤ ζ
Case I is, Case II is ≪ and ≫ are lost in the text                     s λ1 η1² ≪ 1, then ≫ 1
(c), (f); (46), (47)  r1; r0                                           r0, as proved: it changes no asymptote,
                                                                       only local exponents
after (16)            (g) is dropped, then listed                      kept: all nine terms are
(14)                  the factor of (13) a second time                 a constant
(28), (31)            the error to φ0                                  to φ = φ0 + φ1
Theorem 2             needs (A1)-(A3)                                  (13) and (15) need (A4) too
(14)                  |Σ^-r φ|                                         r = min(r0, r1)
(2), after (14)       γ is put down to c_M or to pre-training's loss   with λ1 by s alone the bound has one
Table 1; (10), (33)   its body; the primes of σ' (lost in the text)    (20)-(32); σ' where a slope is meant
4(6 + λ1) η1 ≤ 1      6 looks like half of the largest k(x, x)         η = s^-ζ / (2 k(x, x) + 4 λ)
====================  ===============================================  =======================================
"""
