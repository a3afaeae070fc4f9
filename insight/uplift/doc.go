// Package uplift answers what an experience changes: what those do who were offered
// something, against what those do who were held out by chance, for everyone and for
// groups of them.
//
// The rule in words: an individual is in the arm of the first decision that assigned
// them, treated or held out, whatever came later. Who was assigned after asOf is not
// there. The outcome is any interaction that the selector selects, after the moment of
// the assignment and until the window later, its end included. Unless the selector
// names a direction it is inbound: what is sent is no success of sending. The value is
// the sum of those interactions' values, 0 without any; they are of one currency where
// the selector names one. Whose window is not over by asOf is pending and in no rate:
// else what was offered lately would look worse than it is.
//
// # Groups
//
// The first group is [Everyone]; the others are the caller's. Who is in a group is
// known before the assignment: a group that the experience itself moves people into
// compares different people, and shows effects that are none.
//
// # The numbers
//
// The rate is the share that has the outcome, the value is the mean of an arm's
// individuals. Uplift is treated minus held out. Its 95 % interval is Welch's for
// unequal variances (Welch, The Generalization of Student's Problem, Biometrika 34,
// 1947): with variances s² of n-1 and
//
//	se² = s1²/n1 + s0²/n0
//	df  = se⁴ / ((s1²/n1)²/(n1-1) + (s0²/n0)²/(n0-1))
//
// it is uplift ± t(0.975, df) se. Sums and sums of squares are exact (package exact),
// so neither the order of individuals nor how they were divided among tallies changes
// an answer, and a large mean does not drown a small variance.
//
// # The sample ratio
//
// Where the share that is held out was declared, and was the same all the time, the
// numbers of the two arms must agree with it. They are compared by a chi-square test of
// one degree of freedom, without a correction. Below p = [MismatchBelow] they do not:
// individuals were lost in one arm, or assigned otherwise than by the draw, and what is
// compared is not alike (Fabijan and others, Diagnosing Sample Ratio Mismatch in Online
// Controlled Experiments, KDD 2019). The test is not made where fewer than
// [Expected] individuals are expected in an arm (Cochran, 1954).
//
// # The verdict
//
// It is about the rate. The first row that holds:
//
//	UNDECIDED      the sample ratio is a mismatch, there is no interval, or the outcomes,
//	               or those without one, are so few that below Expected of them are
//	               expected in an arm, where an interval of Welch is too narrow
//	PERSUADABLE    the whole interval is above 0: offer it to them
//	LEAVE_ALONE    the whole interval is below 0: it puts them off
//	NO_DIFFERENCE  the whole interval is within the margin: it makes no difference that
//	               matters, whichever
//	UNDECIDED      otherwise
//
// The margin is a tenth ([Margin]) of the rate of both arms together, or of its
// complement where that is less: at a rate of 5 % it is half a percentage point, and so
// it is at 95 %. A fixed one, or one in standard deviations, would be too loose for
// rare outcomes: 0.2 standard deviations of a rate of 1 % are two percentage points, in
// which it might triple. A tenth is the narrowest margin in use where two treatments
// are taken for one another: 90.00 to 111.11 % for drugs of a narrow therapeutic index
// (EMA, Guideline on the Investigation of Bioequivalence, 2010, 4.1.9). That the
// interval lies within it is the confidence interval's form of two one-sided tests
// (Schuirmann, 1987), at 2.5 % each.
//
// Of twenty groups that an experience makes no difference to, one is expected to look
// otherwise: an interval is about its own group.
//
// # One worked example
//
// Hillstrom's e-mail test: 21,307 customers got the men's mail and 21,306 none. Of the
// first 18.276 % came within two weeks, of the others 10.617 %: an uplift of 0.07659,
// se 0.00339, interval 0.06995 to 0.08323, PERSUADABLE. They spent 1.4226 and 0.6528 on
// average: 0.7698, se 0.1452, interval 0.485 to 1.055.
//
// # What it refuses
//
// [Options.Validate] refuses a window that is not positive or over 10 years, a share
// held out that is none, more than [MaxGroups] groups, and groups without a name, of
// one name, or of the name everyone. What cannot be said is left out, and Why tells:
// the rate of an arm of nobody, an interval where an arm has fewer than two or where
// all are alike in each, the values where one of them is beyond what numbers hold. No
// answer is NaN or infinite.
package uplift
