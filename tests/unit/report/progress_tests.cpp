#include "report/progress.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <string_view>
#include <unistd.h>

using namespace dalib::report;

namespace {

/// A terminal that remembers what was written, with a clock and a width that tests set.
struct fake_terminal {
  std::string text;
  double now = 0;
  int width = 100;

  terminal open(bool interactive) {
    return {[this](std::string_view part) { text += part; }, [this] { return width; }, [this] { return now; }, interactive, false};
  }

  /// What the screen shows: a carriage return goes to the start of the line, "ESC [ K" clears to its end.
  std::string screen() const {
    std::string shown;
    std::string line;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 3, "\x1b[K") == 0) {
        line.resize(column);
        i += 2;
      } else if (text[i] == '\r') {
        column = 0;
      } else if (text[i] == '\n') {
        shown += line + "\n";
        line.clear();
        column = 0;
      } else {
        if (column < line.size())
          line[column] = text[i];
        else
          line += text[i];
        ++column;
      }
    }
    return shown + line;
  }
};

std::size_t count(std::string_view text, char symbol) {
  std::size_t found = 0;
  for (const char c : text) found += c == symbol ? 1 : 0;
  return found;
}

const progress_state example{620, 1000, 151.4, {0.12345, -0.0456, 87.5}};

} // namespace

TEST_CASE("the line shows everything where there is room") {
  CHECK(progress_line(example, 110, false) ==
        " 62%  #################...........   620/1000  loss 0.1235  transfer -0.0456  acc 87.5%  151.4 it/s  0:03 left");
  CHECK(progress_log_line(example) == " 62%   620/1000  loss 0.1235  transfer -0.0456  acc 87.5%  151.4 it/s  0:03 left");
}

TEST_CASE("the line never exceeds the width and keeps the important parts longest") {
  for (const bool unicode : {false, true})
    for (int width = 0; width <= 200; ++width) {
      const std::string line = progress_line(example, width, unicode);
      CAPTURE(width);
      CHECK(columns(line) <= static_cast<std::size_t>(width));
      if (width >= 15) CHECK(line.find("620/1000") != std::string::npos);
      if (width >= 28) CHECK(line.find("loss 0.1235") != std::string::npos);
      if (width >= 39) CHECK(line.find("0:03 left") != std::string::npos);
    }
}

TEST_CASE("odd states") {
  CHECK(progress_line({}, 80, false).substr(0, 4) == "100%");
  CHECK(progress_log_line({5, 0, 0, {}}) == "100%  5/0");
  CHECK(progress_log_line({2000, 1000, 1, {}}) == "100%  2000/1000  1 it/s  0:00 left");
  CHECK(progress_log_line({1, 10, 0, {std::nan(""), INFINITY, std::nan("")}}) == " 10%   1/10  transfer inf");
}

TEST_CASE("a terminal is redrawn at most ten times a second and the last state is shown") {
  fake_terminal fake;
  {
    progress bar(fake.open(true), 1000);
    for (int i = 1; i <= 1000; ++i) {
      fake.now += 0.001;
      bar.update(i, {1.0});
    }
  }
  CHECK(count(fake.text, '\r') <= 12);
  const std::string screen = fake.screen();
  CHECK(screen.substr(0, 4) == "100%");
  CHECK(screen.find("1000/1000") != std::string::npos);
  CHECK(count(screen, '\n') == 1); // the cursor is left at the start of a free line
  CHECK(screen.back() == '\n');
}

TEST_CASE("a narrower window leaves nothing of the longer line and nothing wraps") {
  fake_terminal fake;
  progress bar(fake.open(true), 1000);
  for (int i = 1; i <= 20; ++i) {
    fake.now += 1;
    fake.width = i % 2 == 0 ? 120 : 40;
    bar.update(i, {1.0, 2.0, 3.0});
    CHECK(columns(fake.screen()) < static_cast<std::size_t>(fake.width));
    CHECK(count(fake.screen(), '%') <= 2);
  }
}

TEST_CASE("messages stand above the bar") {
  fake_terminal fake;
  {
    progress bar(fake.open(true), 100);
    bar.message("before");
    fake.now = 1;
    bar.update(50, {1.0});
    bar.message("checkpoint saved");
    bar.finish();
    bar.message("after");
  }
  const std::string screen = fake.screen();
  CHECK(screen.substr(0, 24) == "before\ncheckpoint saved\n");
  CHECK(screen.substr(24, 4) == " 50%");
  CHECK(screen.substr(screen.size() - 7) == "\nafter\n");
  CHECK(count(screen, '\n') == 4);
}

TEST_CASE("a log gets plain whole lines every so many iterations and at the end") {
  fake_terminal fake;
  {
    progress bar(fake.open(false), 250, 0, 100);
    for (int i = 1; i <= 250; ++i) {
      fake.now += 0.01;
      bar.update(i, {0.5});
    }
    bar.update(250, {0.5});
    bar.message("done");
  }
  CHECK(fake.text == " 40%  100/250  loss 0.5000  100 it/s  0:02 left\n"
                     " 80%  200/250  loss 0.5000  100 it/s  0:01 left\n"
                     "100%  250/250  loss 0.5000  100 it/s  0:00 left\n"
                     "done\n");
}

TEST_CASE("speed and time left count from where a resumed run started, and follow a change") {
  fake_terminal fake;
  progress bar(fake.open(false), 100000, 5000, 100);
  fake.now = 10;
  bar.update(5100, {});
  CHECK(fake.text == "  5%    5100/100000  10 it/s  2:38:10 left\n");
  for (int i = 52; i < 200; ++i) {
    fake.now += 1;
    fake.text.clear();
    bar.update(i * 100, {});
  }
  CHECK(fake.text.find(" 100 it/s") != std::string::npos);
}

TEST_CASE("a descriptor that is no terminal is a log") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  terminal out = open_terminal(ends[1]);
  CHECK_FALSE(out.interactive);
  CHECK(out.width() > 0);
  out.write("hello");
  char buffer[8] = {};
  CHECK(::read(ends[0], buffer, sizeof buffer) == 5);
  CHECK(std::string(buffer) == "hello");
  ::close(ends[0]);
  ::close(ends[1]);
  out.write("into nowhere"); // an output that is gone does not end the run
  const double earlier = out.seconds();
  CHECK(earlier <= out.seconds());
}
