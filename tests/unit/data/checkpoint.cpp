#include "io/checkpoint.hpp"
#include "files.hpp"
#include "io/random.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace dalib::io;
using namespace file_tests;

namespace {

/// State of every element type, with parts under a prefix.
struct training_state {
  std::vector<double> means{1, 2};
  std::vector<float> weights{1, 2, 3, 4, 5, 6};
  std::int64_t step = 0;
  random_generator random{3};

  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("weights", {2, 3}, weights);
    visitor("means", {2}, means);
    visitor("step", {}, std::span<std::int64_t>(&step, 1));
    random.visit_state(scoped(visitor, "dropout."));
  }
  friend bool operator==(const training_state&, const training_state&) = default;
};

/// Any pieces by name.
struct named_pieces {
  std::map<std::string, std::vector<float>> pieces;

  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    for (auto& [name, values] : pieces) visitor(name, {static_cast<std::int64_t>(values.size())}, values);
  }
};

const checkpoint_info description{"dan", R"({"lr":0.01})"};

training_state advanced(std::int64_t steps) {
  training_state state;
  for (; state.step < steps; ++state.step) state.weights[1] = static_cast<float>(state.random.normal());
  return state;
}

} // namespace

TEST_CASE("saved and restored exactly") {
  temporary_folder folder;
  training_state state = advanced(5);
  save_checkpoint(folder / "run", state, description);
  const loaded_checkpoint loaded = load_checkpoint(folder / "run");
  CHECK(loaded.message.empty());
  CHECK(loaded.contents.info().method == "dan");
  CHECK(loaded.contents.info().config == description.config);
  training_state restored;
  loaded.contents.restore(restored);
  CHECK(restored == state);
  CHECK(restored.random() == state.random());
}

TEST_CASE("the previous checkpoint is kept and used when the newest is damaged") {
  temporary_folder folder;
  const fs::path path = folder / "run";
  for (const std::int64_t steps : {1, 2, 3}) {
    training_state state = advanced(steps);
    save_checkpoint(path, state, description);
  }
  const std::string newest = read_bytes(path);
  training_state restored;

  SUBCASE("cut off") { write_bytes(path, newest.substr(0, newest.size() / 2)); }
  SUBCASE("zeros, as after a loss of power") { write_bytes(path, std::string(newest.size(), '\0')); }
  SUBCASE("empty") { write_bytes(path, ""); }
  SUBCASE("gone") { fs::remove(path); }
  SUBCASE("a wrong byte in the data") {
    std::string damaged = newest;
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    write_bytes(path, damaged);
  }
  CHECK(checkpoint_exists(path));
  const loaded_checkpoint loaded = load_checkpoint(path);
  CHECK(contains(loaded.message, "run: "));
  CHECK(contains(loaded.message, "run.previous is used instead"));
  loaded.contents.restore(restored);
  CHECK(restored == advanced(2));

  // The next save must not replace the good previous file by the damaged one.
  training_state next = advanced(4);
  save_checkpoint(path, next, description);
  checkpoint(fs::path(path.string() + ".previous")).restore(restored);
  CHECK(restored == advanced(2));
  load_checkpoint(path).contents.restore(restored);
  CHECK(restored == next);
}

TEST_CASE("through a symbolic link the checkpoint and the one before it are those of the file behind it") {
  temporary_folder folder, elsewhere;
  fs::create_symlink(elsewhere / "run", folder / "run");
  for (const std::int64_t steps : {1, 2}) {
    training_state state = advanced(steps);
    save_checkpoint(folder / "run", state, description);
    CHECK(fs::is_symlink(folder / "run"));
  }
  CHECK(fs::exists(elsewhere / "run.previous"));
  for (const std::int64_t steps : {2, 1}) {
    CHECK(checkpoint_exists(folder / "run"));
    training_state restored;
    load_checkpoint(folder / "run").contents.restore(restored);
    CHECK(restored == advanced(steps));
    fs::remove(elsewhere / "run"); // as after a kill between the two renames
  }
}

TEST_CASE("both files unusable") {
  temporary_folder folder;
  CHECK_FALSE(checkpoint_exists(folder / "run"));
  const std::string text = error_of([&] { load_checkpoint(folder / "run"); });
  CHECK(contains(text, "run: cannot open: No such file"));
  CHECK(contains(text, "run.previous: cannot open"));
}

TEST_CASE("every cut and every flipped bit is found") {
  temporary_folder folder;
  training_state state = advanced(2);
  save_checkpoint(folder / "run", state, description);
  const std::string whole = read_bytes(folder / "run");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(checkpoint(as_bytes(whole).first(length), "cut"), std::runtime_error);
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    CAPTURE(bit);
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    CHECK_THROWS_AS(checkpoint(as_bytes(damaged), "damaged"), std::runtime_error);
  }
}

TEST_CASE("a state that does not fit is listed completely and left alone") {
  temporary_folder folder;
  named_pieces saved{{{"a", {1, 2}}, {"b", {3}}, {"gone", {4}}}};
  save_checkpoint(folder / "run", saved, description);
  const checkpoint file(folder / "run");
  named_pieces other{{{"a", {7, 8}}, {"b", {9, 9}}, {"new", {5}}}};
  const std::string text = error_of([&] { file.restore(other); });
  CHECK(contains(text, "run: does not fit what is to be restored; missing: new; different: b (F32 [1] in the file, F32 [2] here); "
                       "unexpected: gone;"));
  CHECK(other.pieces["a"] == std::vector<float>{7, 8});

  named_pieces many;
  for (int i = 0; i < 30; ++i) many.pieces["extra" + std::to_string(i)] = {0};
  CHECK(contains(error_of([&] { file.restore(many); }), "and 10 more"));
}

TEST_CASE("errors of the caller") {
  temporary_folder folder;
  struct twice {
    float value = 0;
    void visit_state(state_layout& visitor) {
      visitor("x", {1}, std::span(&value, 1));
      visitor("x", {1}, std::span(&value, 1));
    }
  } object;
  state_layout visitor;
  CHECK(contains(error_of<std::invalid_argument>([&] { object.visit_state(visitor); }), "'x' is used twice"));
  CHECK(
      contains(error_of<std::invalid_argument>([&] { visitor("y", {2}, std::span(&object.value, 1)); }), "'y' of shape [2] comes with 1"));
  training_state state;
  CHECK_THROWS_AS(save_checkpoint(folder / "run", state, {"dan", "{not json"}), std::invalid_argument);
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("other files are no checkpoints") {
  temporary_folder folder;
  const auto error_with = [&](const std::map<std::string, std::string>& metadata) {
    write_safetensors(folder / "file", {}, metadata);
    return error_of([&] { checkpoint(folder / "file"); });
  };
  CHECK(contains(error_with({}), "is not a checkpoint: the metadata entry 'format' is missing"));
  CHECK(contains(error_with({{"format", "pt"}}), "is not a checkpoint but 'pt'"));
  CHECK(contains(error_with({{"format", "dalib-checkpoint"}, {"version", "9"}}), "unknown checkpoint version '9'"));
  CHECK(contains(error_with({{"format", "dalib-checkpoint"}, {"version", "1"}}), "'crc32' is missing"));
}

TEST_CASE("killed at any moment, an intact checkpoint remains and none that was finished is lost") {
  temporary_folder folder;
  const fs::path path = folder / "run";
  random_generator random(11);
  std::int64_t last = 0;
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    int finished[2];
    REQUIRE(::pipe(finished) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      named_pieces state;
      for (std::int64_t step = last + 1;; ++step) {
        state.pieces = {{"x", std::vector<float>(10'000, static_cast<float>(step))}};
        save_checkpoint(path, state, description);
        if (::write(finished[1], &step, sizeof step) != sizeof step) ::_exit(1);
      }
    }
    ::close(finished[1]);
    if (round == 0) { // at least one save must be over before the first kill
      REQUIRE(::read(finished[0], &last, sizeof last) == sizeof last);
    }
    ::usleep(static_cast<useconds_t>(random.uniform_int(8000)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::int64_t step = 0;
    while (::read(finished[0], &step, sizeof step) == sizeof step) last = step;
    ::close(finished[0]);

    named_pieces restored{{{"x", std::vector<float>(10'000)}}};
    load_checkpoint(path).contents.restore(restored);
    const std::vector<float>& values = restored.pieces["x"];
    CHECK(values.front() >= static_cast<float>(last));
    CHECK(values == std::vector<float>(10'000, values.front()));
    last = static_cast<std::int64_t>(values.front());
  }
}
