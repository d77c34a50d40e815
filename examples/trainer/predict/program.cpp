// dalib_predict: classes of any samples by a model that dalib_train wrote.

#include "program.hpp"

#include "options.hpp"
#include "partial_file.hpp"

#include "../report/progress.hpp"
#include "../report/terminal.hpp"
#include "../train/batch.hpp"
#include "../train/features.hpp"
#include "../train/model_file.hpp"
#include "../train/stop_request.hpp"

#include <exception>
#include <future>
#include <iostream>
#include <unistd.h>

#ifdef _OPENMP
#  include <omp.h>
#endif

namespace dalib::predict {
namespace {

using train::index_t;
using train::scalar;

std::filesystem::path model_path(const std::filesystem::path& given) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::is_directory(given, error) ? given / "model.safetensors" : given;
  if (!std::filesystem::exists(path, error)) throw data::wrong_input("--model: there is no " + path.string());
  return path;
}

/// Samples of a model's input, in slices that are read while the one before is in the network.
class slices {
public:
  slices(const data::dataset& set, index_t first) : set_(&set), next_(first) { read_ahead(); }

  bool done() const { return !ahead_.valid(); }
  train::labelled_images<scalar> take() {
    auto slice = ahead_.get();
    read_ahead();
    return slice;
  }

private:
  void read_ahead() {
    const index_t total = static_cast<index_t>(set_->size()), first = next_;
    if (first >= total) return;
    next_ = std::min(total, first + train::evaluated_at_once(*set_));
    ahead_ = std::async(std::launch::async,
                        [set = set_, first, count = next_ - first] { return train::image_slice<scalar>(*set, first, count); });
  }

  const data::dataset* set_;
  index_t next_;
  std::future<train::labelled_images<scalar>> ahead_;
};

/// Where an earlier call stopped.
struct start {
  index_t slice = 0;                ///< first sample of the slice that is computed first
  std::string expected;             ///< lines of this slice that are there already
  std::vector<std::string> lines{}; ///< all before it
};

start find_start(const partial_file& file, const train::prediction_writer& writer, const data::dataset& set, bool quotes) {
  const std::string header = writer.header();
  const std::string_view kept = file.kept();
  if (kept.size() < header.size()) return {};
  if (!kept.starts_with(header))
    io::fail_file(file.partial_path(), "was written for other classes or another kind of input; --overwrite begins anew");
  const index_t at_once = train::evaluated_at_once(set);
  start result;
  index_t done = 0;
  std::size_t slice_begin = header.size();
  std::vector<std::string> lines;
  for (std::size_t place = header.size(); place < kept.size(); ++done) {
    if (done % at_once == 0) {
      result.slice = done;
      slice_begin = place;
    }
    const std::size_t end = record_end(kept, place, quotes);
    lines.emplace_back(kept.substr(place, end - place));
    place = end;
  }
  if (done > set.size()) io::fail_file(file.partial_path(), "has more lines than the input has samples; --overwrite begins anew");
  result.expected = kept.substr(slice_begin);
  lines.resize(static_cast<std::size_t>(result.slice));
  result.lines = std::move(lines);
  return result;
}

/// Predicts all samples from where an earlier call stopped. Returns whether all are done.
bool predict_all(const options& o, train::trained_model& model, const data::dataset& set, bool by_file, train::prediction_scores& scores) {
  const train::prediction_writer writer(model.description().classes, model.trusted(), o.format, by_file, set.labelled);
  const bool quotes = o.format == train::prediction_format::csv;
  partial_file file(o.out, o.resume, quotes);
  const start begin = find_start(file, writer, set, quotes);
  if (file.kept().size() < writer.header().size()) file.append(writer.header());
  if (set.labelled)
    for (std::size_t i = 0; i < begin.lines.size(); ++i) scores.add(set.labels[i], writer.read(begin.lines[i]));
  report::progress display(report::open_terminal(STDOUT_FILENO), set.size(), begin.slice, std::max<long long>(set.size() / 10, 1));
  index_t done = begin.slice;
  std::string expected = begin.expected; // computed anew, they must come out as they are
  for (slices input(set, begin.slice); !input.done() && train::stop_request::received() == 0;) {
    const auto slice = input.take();
    const auto output = model.predict(slice.images);
    const train::predicted_samples samples{output.logits.value(), output.features.value(), slice.labels};
    std::string text;
    for (index_t row = 0; row < samples.logits.rows(); ++row) {
      text += writer.line(set.sample_names[static_cast<std::size_t>(done + row)], samples, row);
      if (set.labelled) scores.add(slice.labels[static_cast<std::size_t>(row)], writer.predict(samples, row));
    }
    if (!text.starts_with(expected))
      io::fail_file(file.partial_path(), "was written by another model or for another input; --overwrite begins anew");
    file.append(std::string_view(text).substr(expected.size()));
    expected.clear();
    done += samples.logits.rows();
    display.update(done, {});
  }
  display.finish();
  if (done < set.size()) return false;
  file.finish();
  return true;
}

int run_program(options o) {
#ifdef _OPENMP
  if (o.threads > 0) omp_set_num_threads(o.threads);
#endif
  train::stop_request::listen();
  if (!o.overwrite && !o.resume && (std::filesystem::exists(o.out) || partial_file::exists(o.out)))
    throw data::wrong_input(o.out.string() +
                            ": has earlier predictions; --overwrite replaces them, --resume goes on with an interrupted call");
  if (o.resume && !partial_file::exists(o.out))
    throw data::wrong_input("--resume: there is no " + o.out.string() + ".partial to go on with");
  train::trained_model model(model_path(o.model));
  const train::model_description& d = model.description();
  if (!o.label_given) o.how.table.label = d.label_column;
  if (!o.ignored_given && std::filesystem::is_regular_file(o.input)) o.how.table.ignored = d.ignored_columns;
  const data::input samples = data::read_input(o.input, o.how, d.classes);
  for (const std::string& remark : samples.remarks) std::cout << "note: " << remark << '\n';
  const auto skipped = [](const std::string& problem) { std::cerr << "dalib_predict: skipped: " + problem + "\n"; };
  const data::dataset set = data::make_dataset(samples, d.input, d.classes, {"input", true, {o.skip_unreadable, skipped}});
  std::cout << set.size() << " samples of " << o.input << " by " << d.method << ", " << d.arch << (d.frozen ? ", frozen" : "") << ", "
            << d.classes.size() << " classes" << std::endl;

  train::prediction_scores scores(d.classes);
  if (!predict_all(o, model, set, samples.is_files(), scores)) {
    std::cerr << "dalib_predict: interrupted; what is done is in " << o.out.string()
              << ".partial, the same call with --resume goes on from there\n";
    constexpr int interrupted_code = 128;
    return interrupted_code + train::stop_request::received();
  }
  if (set.labelled) std::cout << scores.text(); // of what an earlier call had predicted too
  std::cout << "wrote " << o.out.string() << '\n';
  return 0;
}

} // namespace

int run_command(int argc, const char* const* argv) {
  constexpr int wrong_arguments = 2;
  try {
    const auto parsed = parse_options(argc, argv);
    return parsed.settings ? run_program(*parsed.settings) : parsed.exit_code;
  } catch (const data::wrong_input& error) {
    std::cerr << "dalib_predict: " << error.what() << '\n';
    return wrong_arguments;
  } catch (const std::exception& error) {
    std::cerr << "dalib_predict: " << error.what() << '\n';
    return 1;
  }
}

} // namespace dalib::predict
