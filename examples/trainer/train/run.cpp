#include "run.hpp"

#include "features.hpp"
#include "model_file.hpp"
#include "predictions.hpp"
#include "stop_request.hpp"

#include "../distributed/broadcast_state.hpp"
#include "../../io/checkpoint.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace dalib::train {
namespace {

// Streams of a run's seed: each purpose has its own, so that methods with equal seeds see equal batches.
constexpr std::uint64_t model_stream = 0, source_stream = 1, target_stream = 2;

std::uint64_t seed_of_stream(const io::random_generator& random, std::uint64_t index) { return random.stream(index)(); }

double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Throws std::invalid_argument naming the settings in which a checkpoint differs from what is asked for.
void require_same_settings(const std::string& saved_text, const nlohmann::ordered_json& asked, const std::filesystem::path& path) {
  const auto saved = nlohmann::ordered_json::parse(saved_text);
  std::string text;
  for (const auto& [name, value] : asked.items()) {
    const auto found = saved.find(name);
    if (found == saved.end() || *found != value)
      text += "; " + name + " was " + (found == saved.end() ? "not set" : found->dump()) + ", now it is " + value.dump();
  }
  for (const auto& [name, value] : saved.items())
    if (!asked.contains(name)) text += "; " + name + " was " + value.dump() + ", now it is not set";
  if (!text.empty())
    throw std::invalid_argument(path.string() + ": cannot go on with other settings" + text +
                                " (--overwrite in place of --resume starts the run anew)");
}

/// FNV-1a of whole numbers or characters.
template <class Numbers>
std::uint64_t hash_of(const Numbers& numbers) {
  std::uint64_t hash = 14695981039346656037U;
  for (const auto number : numbers) hash = (hash ^ static_cast<std::uint64_t>(number)) * 1099511628211U;
  return hash;
}

/// Throws std::invalid_argument on all ranks, naming one, unless all would train the same run on the same data.
void require_same_run(const std::string& description, const task& data, std::size_t batch_size) {
  const auto& ranks = distributed::ranks::all();
  if (ranks.alone()) return;
  if (batch_size < static_cast<std::size_t>(ranks.size()))
    throw std::invalid_argument("a batch of " + std::to_string(batch_size) + " images does not reach for " + std::to_string(ranks.size()) +
                                " ranks");
  ranks.require_same("settings", hash_of(description));
  ranks.require_same("version of the program", hash_of(std::string(DALIB_VERSION)));
  for (const data::dataset* set : {&data.source_train, &data.source_test, &data.target_train, &data.target_test}) {
    ranks.require_same(("samples of " + set->name).c_str(), hash_of(set->labels));
    ranks.require_same(("sizes of " + set->name).c_str(), static_cast<std::uint64_t>(set->geometry.size()));
  }
}

/// Mean over about the last twenty iterations, for the display only.
struct smooth_value {
  double sum = 0, weight = 0;

  double add(double value) {
    sum = 0.95 * sum + value;
    weight = 0.95 * weight + 1;
    return sum / weight;
  }
};

std::string evaluation_line(long iteration, const evaluation& e) {
  using report::fixed;
  const std::string target = std::isnan(e.target_accuracy) ? "" : report::joined(", target ", fixed(e.target_accuracy, 1), "% (oracle)");
  return report::joined("  iteration ", std::to_string(iteration), ": source ", fixed(e.source_accuracy, 1), "%", target, ", score ",
                        fixed(e.score(), 1));
}

} // namespace

method_config configured(method_config config, const data::dataset& set) {
  config.channels = set.geometry.channels;
  config.side = set.geometry.height;
  config.classes = set.classes;
  return config;
}

seen_features untrained_features(const options& settings, const task& data, const method_entry& entry, std::uint64_t seed) {
  const io::random_generator random(seed);
  const auto untrained = entry.make(configured(settings.method, data.source_train), random.stream(model_stream));
  return {predict_all(*untrained, data.source_train, seen_images).features,
          predict_all(*untrained, data.target_train, seen_images).features};
}

training_run::training_run(const options& settings, const task& data, const method_entry& entry, std::uint64_t seed,
                           std::filesystem::path folder)
    : settings_(settings), data_(data), name_(entry.name), seed_(seed), folder_(std::move(folder)), random_(seed),
      source_loader_(data.source_train, settings.batch_size, seed_of_stream(random_, source_stream), settings.prefetch),
      target_loader_(data.target_train, settings.batch_size, seed_of_stream(random_, target_stream), settings.prefetch),
      method_(entry.make(configured(settings.method, data.source_train), random_.stream(model_stream))) {
  const auto& ranks = distributed::ranks::all();
  require_same_run(describe_run(settings_, name_, seed_).dump(), data_, settings_.batch_size);
  model_view model{*method_};
  if (settings_.select != selection::last) best_ = state_snapshot::of(model);
  const bool exists = ranks.of_first(io::checkpoint_exists(checkpoint_path()));
  if (settings_.resume && exists) {
    if (ranks.first()) restore();
    distributed::broadcast_state(*this);
  } else if (exists) {
    start_message_ = "replaces the earlier run in " + folder_.string();
  }
  if (!ranks.first()) return;
  if (iteration_ == 0)
    history_.emplace(folder_ / "history.csv", history_columns(data_.open_set));
  else
    history_.emplace(folder_ / "history.csv", history_columns(data_.open_set), static_cast<double>(iteration_));
}

void training_run::restore() {
  const io::loaded_checkpoint loaded = io::load_checkpoint(checkpoint_path());
  require_same_settings(loaded.contents.info().config, describe_run(settings_, name_, seed_), checkpoint_path());
  loaded.contents.restore(*this);
  if (iteration_ > settings_.iterations)
    throw std::invalid_argument(checkpoint_path().string() + ": has " + std::to_string(iteration_) +
                                " iterations behind it already, more than the " + std::to_string(settings_.iterations) + " asked for");
  start_message_ = iteration_ == settings_.iterations ? "is finished already" : "goes on from iteration " + std::to_string(iteration_);
  if (!loaded.message.empty()) start_message_ += " (" + loaded.message + ")";
}

batch<scalar> training_run::load_batch() {
  try {
    return next_batch<scalar>(source_loader_, target_loader_);
  } catch (const std::runtime_error& problem) {
    save();
    throw std::runtime_error(name_ + ", seed " + std::to_string(seed_) + ", iteration " + std::to_string(iteration_ + 1) + ": " +
                             problem.what() + "; all before it is in the checkpoint, --resume goes on from there");
  }
}

step_report training_run::step() {
  const double start = seconds_now();
  const step_report report = method_->step(load_batch());
  seconds_ += seconds_now() - start;
  ++iteration_;
  sums_.add(report, static_cast<index_t>(settings_.batch_size));
  return report;
}

evaluation training_run::evaluate_now() {
  share_statistics();
  const evaluation e = evaluate(*method_, data_);
  if (history_) history_->append(history_row(iteration(), method_->learning_rate(), sums_, e, data_.open_set));
  sums_ = {};
  const double value = settings_.select == selection::oracle ? e.target_accuracy : e.value_of(settings_.select.column);
  if (settings_.select != selection::last && value > best_value_) {
    model_view model{*method_};
    best_ = state_snapshot::of(model);
    best_value_ = value;
    best_iteration_ = iteration_;
  }
  return e;
}

void training_run::save() {
  if (distributed::ranks::all().first())
    io::save_checkpoint(checkpoint_path(), *this, {name_, describe_run(settings_, name_, seed_).dump()});
}

void training_run::share_statistics() {
  if (!distributed::ranks::all().local_batch_norm) return;
  model_view model{*method_};
  distributed::broadcast_state(model);
}

bool training_run::train(report::progress& display, bool show_evaluations) {
  smooth_value loss, transfer, correct;
  int stopped = stop_request::received_by_any();
  while (iteration_ < settings_.iterations && stopped == 0) {
    step_report report;
    try {
      report = step();
    } catch (const training_failure& failure) {
      throw training_failure(name_ + ", seed " + std::to_string(seed_) + ", iteration " + std::to_string(iteration_ + 1) + ": " +
                             failure.what() + "; training has stopped, the last checkpoint in " + folder_.string() +
                             " is kept (a smaller --lr or --trade-off may help)");
    }
    const double share = 100 * report.correct / static_cast<double>(settings_.batch_size);
    const bool last = iteration_ == settings_.iterations;
    display.update(iteration_, {loss.add(report.total_loss), transfer.add(report.transfer_loss), correct.add(share)});
    if (last || iteration_ % settings_.evaluate_every == 0) {
      const evaluation e = evaluate_now();
      if (show_evaluations) display.message(evaluation_line(iteration(), e));
    }
    stopped = stop_request::received_by_any();
    if (last || iteration_ % settings_.checkpoint_every == 0 || stopped != 0) save();
  }
  display.finish();
  return iteration_ >= settings_.iterations;
}

run_result training_run::finish() {
  share_statistics();
  const double begin = seconds_now();
  run_result result;
  result.method = name_;
  result.seed = seed_;
  result.iterations = settings_.iterations;
  result.configuration = describe_run(settings_, name_, seed_);
  result.chosen_iteration = iteration();
  if (settings_.select != selection::last) {
    model_view model{*method_};
    best_.restore(model);
    result.chosen_iteration = static_cast<long>(best_iteration_);
  }
  result.source = predict_all(*method_, data_.source_test);
  const outputs every = predict_every(*method_, data_.target_test);
  result.target = every;
  result.target_rows = readable_rows(every.labels);
  drop_unreadable(data_.target_test, result.target.labels, {&result.target.logits, &result.target.features});
  outputs unlabelled = predict_all(*method_, data_.target_train, scored_images);
  result.target_seen = unlabelled.features.topRows(std::min<Eigen::Index>(unlabelled.features.rows(), seen_images));
  result.unlabelled = std::move(unlabelled.logits);
  result.source_seen = predict_all(*method_, data_.source_train, seen_images);
  result.chosen = evaluate(*method_, data_, result.source, result.target);
  result.milliseconds = 1000 * seconds_ / static_cast<double>(iteration_);
  if (history_) result.history = history_->data();
  result.folder = folder_;
  save_model(result, every);
  // What came here predicted as much as an evaluation does. Of those before it, which an earlier call may have made, no clock is left.
  const long evaluations = (iteration() + settings_.evaluate_every - 1) / settings_.evaluate_every;
  result.seconds = seconds_ + static_cast<double>(evaluations + 1) * (seconds_now() - begin);
  return result;
}

void training_run::save_model(run_result& result, const outputs& every) {
  if (!distributed::ranks::all().first()) return;
  trust& trusted = result.trusted;
  trusted.temperature = fit_temperature(result.source.logits, result.source.labels);
  trusted.source = region_of(result.source_seen.features, result.source.features);
  trusted.target = region_of(result.target.features, {});

  const method_config config = configured(settings_.method, data_.source_train);
  model_description d{.method = name_,
                      .arch = settings_.data.backbone.arch,
                      .frozen = data_.frozen != nullptr,
                      .channels = config.channels,
                      .side = config.side,
                      .discriminator_width = config.discriminator_width,
                      .head_width = config.head_width,
                      .classes = data_.classes,
                      .input = data_.prepared,
                      .label_column = settings_.data.own.table.label,
                      .ignored_columns = settings_.data.own.table.ignored,
                      .score = result.chosen.score(),
                      .source_accuracy = result.chosen.source_accuracy,
                      .config = describe_run(settings_, name_, seed_).dump(),
                      .version = DALIB_VERSION};
  for (const method_setting& setting : find_method(name_).settings) d.settings[setting.name] = settings_.method.settings.at(setting.name);
  train::save_model(folder_ / "model.safetensors", d, *method_, data_.frozen.get(), trusted);

  const bool by_file = data_.prepared.kind == data::content::images && !data_.target_test.sample_names.empty();
  const prediction_writer writer(data_.classes, trusted, prediction_format::csv, by_file, data_.target_test.labelled);
  const predicted_samples samples{every.logits, every.features, every.labels};
  std::string text = writer.header();
  for (index_t row = 0; row < samples.logits.rows(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    text +=
        writer.line(i < data_.target_test.sample_names.size() ? data_.target_test.sample_names[i] : std::to_string(i + 1), samples, row);
  }
  io::write_text_file(folder_ / "predictions.csv", text);
}

} // namespace dalib::train
