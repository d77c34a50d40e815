// What was found, as a sentence and as JSON.
#include "comparison.hpp"

#include "../trainer/report/text.hpp"

#include <nlohmann/json.hpp>

namespace dalib::compare {

std::string sentence_of(const comparison& result, const options& asked) {
  const std::string level = report::significant(100 * asked.alpha, 3) + " %";
  std::string tests;
  for (const finding& f : result.findings)
    if (f.reject) tests += (tests.empty() ? "" : ", ") + f.test;
  const std::string sizes = std::to_string(result.rows[0]) + " and " + std::to_string(result.rows[1]) + " rows";
  std::string text = result.different() ? "The two files follow different laws, as far as " + sizes + " tell (" + tests +
                                              "): if they did not, a test would say so in at most " + level + " of all cases"
                                        : "No evidence that the two files follow different laws was found in " + sizes +
                                              " (a test says so wrongly in at most " + level + " of all cases)";
  if (result.findings.size() > 1) text += ", each test by itself";
  return text + "; assumed: rows are independent of each other.";
}

std::string json_of(const comparison& result, const options& asked) {
  nlohmann::ordered_json page{{"files", {asked.first, asked.second}},
                              {"rows", {result.rows[0], result.rows[1]}},
                              {"features", result.features},
                              {"alpha", asked.alpha},
                              {"seed", asked.seed},
                              {"permutations", asked.permutations},
                              {"kernel", asked.kernel},
                              {"bandwidth", result.bandwidth},
                              {"different", result.different()},
                              {"sentence", sentence_of(result, asked)},
                              {"notes", result.notes},
                              {"tests", nlohmann::ordered_json::array()},
                              {"witness_rows", {result.witness_rows[0], result.witness_rows[1]}}};
  for (const finding& f : result.findings) {
    nlohmann::ordered_json one{{"test", f.test},           {"statistic", f.statistic}, {"p_value", f.p_value},
                               {"threshold", f.threshold}, {"reject", f.reject},       {"remark", f.remark}};
    for (std::size_t k = 0; k < f.kernels.size(); ++k)
      one["kernels"].push_back({{"kernel", f.kernels[k]}, {"p_value", f.kernel_p[k]}, {"limit", f.kernel_limits[k]}});
    page["tests"].push_back(one);
  }
  for (const feature_finding& f : result.by_feature)
    page["features_by_difference"].push_back(
        {{"feature", f.name}, {"p_value", f.p_value}, {"holm", f.corrected}, {"difference", f.difference}});
  return page.dump(2) + "\n";
}

} // namespace dalib::compare
