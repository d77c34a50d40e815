#pragma once
// How many trainings --method auto makes within a time, and what it remembers of that.

#include "comparison.hpp"
#include "options.hpp"

namespace dalib::train {

/// The number of trainings that an interrupted call with the same budget and iterations has planned, from auto-plan.json in --out; 0 where
/// there is none. Throws std::runtime_error for a file that is none of ours.
long stored_trainings(const options& all);

/// How many trainings a budget of time pays for; prints it and writes auto-plan.json. What is planned is made, however long it then takes:
/// a plan that followed the clock would choose otherwise after every kill. The first training says how long its method takes, and what
/// evaluations take; of other candidates a few iterations are measured.
/// @param runs until now, the first training last
long plan_trainings(const options& all, const task& data, const run_list& runs);

} // namespace dalib::train
