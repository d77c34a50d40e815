// Methods of the trainer in double: twenty iterations on the ranks of an MPI program against the same by one process, every number of the
// state. Names of methods are the arguments.
#include "distributed/run_ranks.hpp"
#include "train/batch.hpp"
#include "train/method.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace dalib::train {

#ifdef DALIB_TRACE_ALL_METHODS
std::vector<method_entry> traced_methods() {
  std::vector<method_entry> list(all_methods().begin(), all_methods().end());
  list.push_back(find_method("dann+mcc"));
  return list;
}
#else
method_entry dann(), mdd(), mcd();
std::vector<method_entry> traced_methods() { return {dann(), mdd(), mcd()}; }
#endif

namespace {

constexpr index_t side = 16, classes = 3;
constexpr std::size_t batch_size = 10; // no multiple of 4: some ranks have more
constexpr int iterations = 20;
constexpr double tolerance = 1e-9;

/// Noisy images whose class is where they are bright; the target's are darker and turned.
data::dataset make_domain(const char* name, std::uint64_t seed, bool target) {
  data::dataset set;
  set.name = name;
  set.geometry = {side, side, 1};
  set.classes = static_cast<int>(classes);
  constexpr index_t samples = 36;
  set.images.resize(samples, set.geometry.size());
  io::random_generator random(seed);
  for (index_t i = 0; i < samples; ++i) {
    set.labels.push_back(static_cast<int>(i % classes));
    for (index_t y = 0; y < side; ++y)
      for (index_t x = 0; x < side; ++x) {
        const bool bright = (target ? x : y) / 6 == i % classes;
        set.images(i, y * side + x) = static_cast<float>((target ? 0.6 : 1) * bright + 0.3 * random.normal());
      }
  }
  return set;
}

method_config configuration(const std::vector<method_entry>& methods) {
  method_config config;
  config.side = side;
  config.classes = classes;
  config.discriminator_width = config.head_width = 24;
  for (const method_entry& entry : methods)
    for (const method_setting& setting : entry.settings) config.settings[setting.name] = setting.value;
  config.settings["shot-source-iterations"] = iterations / 2;
  return config;
}

using numbers = std::map<std::string, std::vector<double>>;

class reader : public io::state_visitor<reader> {
public:
  numbers found;
  template <class T>
  void visit(const std::string& name, const io::tensor_shape&, std::span<T> values) {
    for (const T value : values) found[name].push_back(static_cast<double>(value));
  }
};

/// The state after training, with the reports of every iteration.
numbers train(const method_entry& entry, const method_config& config, const data::dataset& source, const data::dataset& target) {
  data::loader sources(source, batch_size, 5), targets(target, batch_size, 6);
  const auto trained = entry.make(config, io::random_generator(7));
  std::vector<double> reports;
  for (int i = 0; i < iterations; ++i) {
    const step_report r = trained->step(next_batch<scalar>(sources, targets));
    for (const double value : {r.classification_loss, r.transfer_loss, r.total_loss, r.correct, r.domain_accuracy})
      reports.push_back(value);
  }
  reader visitor;
  any_state_visitor any = any_state_visitor::of(visitor);
  trained->visit_state(any);
  visitor.found["reports"] = reports;
  return visitor.found;
}

/// Numbers below this are compared as they are: the momentum of a bias that a loss of differences cannot see is rounding alone.
constexpr double smallest = 1e-5;

/// The largest difference of one piece of the state, relative to its largest number.
double difference(const numbers& a, const numbers& b, std::string& where) {
  double worst = 0;
  for (const auto& [name, values] : a) {
    const std::vector<double>& others = b.at(name);
    double largest = 0, apart = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      largest = std::max(largest, std::abs(values[i]));
      apart = std::max(apart, std::isfinite(others[i]) ? std::abs(values[i] - others[i]) : HUGE_VAL);
    }
    if (apart > worst * std::max(largest, smallest)) {
      worst = apart / std::max(largest, smallest);
      where = name;
    }
  }
  return worst;
}

int compare(int argc, const char* const* argv) {
  distributed::ranks& ranks = distributed::ranks::all();
  const data::dataset source = make_domain("source", 1, false), target = make_domain("target", 2, true);
  const std::vector<method_entry> methods = traced_methods();
  const method_config config = configuration(methods);
  int failed = 0, told_apart = 0;
  for (const method_entry& entry : methods) {
    if (argc > 1 && std::none_of(argv + 1, argv + argc, [&](const std::string& name) { return name == entry.name; })) continue;
    ranks.gradient_bucket = 0;
    const numbers behind = train(entry, config, source, target);
    ranks.gradient_bucket = 1 << 16; // several
    const numbers together = train(entry, config, source, target);
    numbers alone;
    {
      distributed::ranks one;
      const distributed::ranks::scope here(one);
      alone = train(entry, config, source, target);
    }
    std::string where;
    if (difference(behind, together, where) != 0) {
      std::printf("%s: buckets of gradients change %s\n", entry.name.c_str(), where.c_str());
      ++failed;
    }
    const double own = difference(alone, together, where);
    for (const double apart : ranks.each(own)) failed += apart < tolerance ? 0 : 1;
    if (ranks.first()) std::printf("%s: %.1e (%s)\n", entry.name.c_str(), own, where.c_str());

    // With statistics of each rank's own it is another training: the comparison above can fail. Not for every method: some never normalise.
    ranks.local_batch_norm = true;
    const double local = difference(alone, train(entry, config, source, target), where);
    ranks.local_batch_norm = false;
    told_apart += ranks.largest(local < 1e-6 ? 1 : 0) == 1 ? 0 : 1;
  }
  if (ranks.size() > 1 && told_apart == 0) {
    std::printf("local statistics change nothing\n");
    ++failed;
  }
  return ranks.largest(failed) == 0 ? 0 : 1;
}

} // namespace
} // namespace dalib::train

int main(int argc, char** argv) { return dalib::distributed::run_ranks(argc, argv, dalib::train::compare); }
