//! The four steps: the host above, the agents below, and what moves between them.

use super::canvas::{Anchor, Canvas, Drawing, FILE_ROW, REPOSITORY_ROW, WIDTH};
use super::figures::{Agent, Figures, Repository};

const MARGIN: u32 = 8;
const INSET: u32 = 12;
const HEADING: u32 = 36;
const HOST_WIDTH: u32 = WIDTH - 2 * MARGIN;
const AGENT_WIDTH: u32 = 206;
const AGENT_ROW: u32 = AGENT_WIDTH - 2 * INSET;
const AGENTS: [u32; 2] = [MARGIN, WIDTH - MARGIN - AGENT_WIDTH];
/// The height between the machines, where the arrows are.
const GAP: u32 = 62;
/// The host's columns: where they start and how wide they are.
const LEFT: [u32; 2] = [MARGIN + INSET, 176];
const RIGHT: [u32; 2] = [244, 176];

fn machine(canvas: &mut Canvas, class: &str, [x, y, width, height]: [u32; 4], name: &str) {
    canvas.panel(class, [x, y, width, height]);
    canvas.text(x + INSET, y + 23, Anchor::Start, "name", name);
}

/// An arrow between host and agent, and what is said of it.
fn transfer(canvas: &mut Canvas, agent_x: u32, [from, to]: [u32; 2], lines: &[String]) {
    let x = agent_x + 28;
    canvas.vertical(x, from, to);
    let middle = from.midpoint(to);
    for (line, y) in lines.iter().zip([middle - 5, middle + 12]) {
        canvas.text(x + 14, y, Anchor::Start, "note", line);
    }
}

fn repository_or_none(canvas: &mut Canvas, row: [u32; 3], repository: Option<&Repository>) {
    match repository {
        Some(repository) => canvas.repository(row, repository),
        None => canvas.no_repository(row),
    }
}

/// Step 1: the host strips its repository; sources and digests go out.
pub(super) fn preparation(figures: &Figures) -> Drawing {
    let mut canvas = Canvas::default();
    let top = MARGIN + HEADING;
    let host = 170;
    machine(&mut canvas, "host", [MARGIN, MARGIN, HOST_WIDTH, host], "host");
    for (source, y) in figures.sources.iter().zip((top..).step_by(FILE_ROW as usize)) {
        canvas.file([LEFT[0], y, LEFT[1]], source);
    }
    strip(&mut canvas, top - 14, figures);
    let below = MARGIN + host + GAP;
    let bottom = below + HEADING + 2 * FILE_ROW + REPOSITORY_ROW + 4;
    for (agent, x) in figures.agents.iter().zip(AGENTS) {
        transfer(&mut canvas, x, [MARGIN + host, below], &agent.sent);
        machine(&mut canvas, "agent", [x, below, AGENT_WIDTH, bottom - below], &agent.name);
        given(&mut canvas, [x + INSET, below + HEADING], agent, figures.stripped.as_ref());
    }
    let text = "The host strips its repository to the digests, and sends each agent its sources and this small copy.";
    canvas.finish("step1-preparation", "Step 1, preparation", text.into(), bottom)
}

fn strip(canvas: &mut Canvas, y: u32, figures: &Figures) {
    let [x, width] = RIGHT;
    let centre = x + width / 2;
    repository_or_none(canvas, [x, y, width], figures.before.as_ref());
    let Some(stripped) = &figures.stripped else {
        canvas.text(centre, y + REPOSITORY_ROW + 16, Anchor::Middle, "note", "so nothing to strip");
        return;
    };
    canvas.vertical(centre, y + 38, y + 96);
    canvas.tool(centre, y + 52, "toystrip");
    canvas.repository([x, y + 98, width], stripped);
}

/// What an agent starts with. Returns the height it takes.
fn given(canvas: &mut Canvas, [x, y]: [u32; 2], agent: &Agent, stripped: Option<&Repository>) -> u32 {
    for (source, at) in agent.sources.iter().zip(0..) {
        canvas.file([x, y + at * FILE_ROW, AGENT_ROW], source);
    }
    let below = agent.sources.len() as u32 * FILE_ROW;
    let own = stripped.map(|stripped| stripped.named("repo.yaml"));
    repository_or_none(canvas, [x, y + below, AGENT_ROW], own.as_ref());
    below + REPOSITORY_ROW
}

/// Step 2: both agents compile, each with its own repository.
pub(super) fn compilation(figures: &Figures) -> Drawing {
    let mut canvas = Canvas::default();
    canvas.resting("host", [MARGIN, MARGIN, HOST_WIDTH], "host", "waits");
    let top = MARGIN + 50;
    let bottom = top + HEADING + 2 * (2 * FILE_ROW + REPOSITORY_ROW) + 84;
    for (agent, x) in figures.agents.iter().zip(AGENTS) {
        machine(&mut canvas, "agent", [x, top, AGENT_WIDTH, bottom - top], &agent.name);
        compile(&mut canvas, [x + INSET, top + HEADING], agent, figures.stripped.as_ref());
    }
    let verdict = |agent: &Agent| format!("{}: {}", agent.name, verdict(agent));
    let text = format!(
        "Both agents compile at the same time. {}.",
        figures.agents.each_ref().map(verdict).join(". ")
    );
    canvas.finish("step2-compilation", "Step 2, compilation", text, bottom)
}

fn compile(canvas: &mut Canvas, [x, y]: [u32; 2], agent: &Agent, stripped: Option<&Repository>) {
    let centre = x + AGENT_ROW / 2;
    let y = y + given(canvas, [x, y], agent, stripped);
    canvas.vertical(centre, y, y + 54);
    canvas.tool(centre, y + 12, "toycc");
    let y = y + 58;
    made(canvas, [x, y], agent);
    let class = if agent.generated == 0 { "nothing" } else { "result" };
    let y = y + 2 * FILE_ROW + REPOSITORY_ROW + 12;
    canvas.text(centre, y, Anchor::Middle, class, &verdict(agent));
}

fn verdict(agent: &Agent) -> String {
    format!("{} generated, {} reused", agent.generated, agent.reused)
}

/// What an agent ends with.
fn made(canvas: &mut Canvas, [x, y]: [u32; 2], agent: &Agent) {
    for (ticket, at) in agent.tickets.iter().zip(0..) {
        canvas.file([x, y + at * FILE_ROW, AGENT_ROW], &ticket.file);
    }
    canvas.repository([x, y + agent.tickets.len() as u32 * FILE_ROW, AGENT_ROW], &agent.after);
}

/// Step 3: tickets and repositories come back; the host merges.
pub(super) fn copy_back(figures: &Figures) -> Drawing {
    let mut canvas = Canvas::default();
    let top = MARGIN + HEADING;
    let host = HEADING + 3 * REPOSITORY_ROW + 32;
    machine(&mut canvas, "host", [MARGIN, MARGIN, HOST_WIDTH, host], "host");
    merge(&mut canvas, top, figures);
    let below = MARGIN + host + GAP;
    let bottom = below + HEADING + 2 * FILE_ROW + REPOSITORY_ROW + 28;
    for (agent, x) in figures.agents.iter().zip(AGENTS) {
        transfer(&mut canvas, x, [below, MARGIN + host], &agent.returned);
        machine(&mut canvas, "agent", [x, below, AGENT_WIDTH, bottom - below], &agent.name);
        made(&mut canvas, [x + INSET, below + HEADING], agent);
        if let Some(note) = compared(agent) {
            canvas.text(x + AGENT_WIDTH / 2, bottom - 12, Anchor::Middle, "note", &note);
        }
    }
    let text = "Each agent returns its tickets and its repository. The host merges both repositories into its own, \
                and compares the ticket that both agents made.";
    canvas.finish("step3-copy-back", "Step 3, copy back and merge", text.into(), bottom)
}

fn merge(canvas: &mut Canvas, y: u32, figures: &Figures) {
    let [x, width] = LEFT;
    repository_or_none(canvas, [x, y, width], figures.before.as_ref());
    for (agent, at) in figures.agents.iter().zip(1..) {
        canvas.repository([x, y + at * REPOSITORY_ROW, width], &agent.after.named(&agent.returned_as));
    }
    let (middle, [right, width]) = (y + 10, RIGHT);
    let centre = right + width / 2;
    canvas.bracket(x + LEFT[1] + 12, y, y + 3 * REPOSITORY_ROW - 8);
    canvas.horizontal(middle, x + LEFT[1] + 12, centre - 42);
    canvas.tool(centre, middle - 11, "toymerge");
    canvas.vertical(centre, middle + 11, middle + 34);
    canvas.repository([right, middle + 36, width], &figures.merged);
    let tickets = used_tickets(figures);
    for (ticket, at) in tickets.iter().zip(0..) {
        canvas.file([right, y + 92 + at * FILE_ROW, width], ticket);
    }
}

fn compared(agent: &Agent) -> Option<String> {
    let spare = agent.tickets.iter().find(|ticket| !ticket.used)?;
    Some(format!("its {} is only compared", spare.file.name))
}

/// The tickets that are linked, in the order of their names.
fn used_tickets(figures: &Figures) -> Vec<super::File> {
    let tickets = figures.agents.iter().flat_map(|agent| &agent.tickets).filter(|ticket| ticket.used);
    let mut files: Vec<_> = tickets.map(|ticket| ticket.file.clone()).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// Step 4: an ordinary link, and the program runs.
pub(super) fn link(figures: &Figures) -> Drawing {
    let mut canvas = Canvas::default();
    let top = MARGIN + HEADING;
    let host = 234;
    machine(&mut canvas, "host", [MARGIN, MARGIN, HOST_WIDTH, host], "host");
    let tickets = used_tickets(figures);
    for (ticket, at) in tickets.iter().zip(0..) {
        canvas.file([LEFT[0], top + at * FILE_ROW, LEFT[1]], ticket);
    }
    let below = top + tickets.len() as u32 * FILE_ROW;
    canvas.repository([LEFT[0], below, LEFT[1]], &figures.merged);
    canvas.bracket(LEFT[0] + LEFT[1] + 12, top, below + REPOSITORY_ROW - 8);
    let centre = RIGHT[0] + RIGHT[1] / 2;
    canvas.horizontal(top + 10, LEFT[0] + LEFT[1] + 12, centre - 34);
    canvas.tool(centre, top - 1, "toyld");
    canvas.vertical(centre, top + 21, top + 44);
    canvas.repository([RIGHT[0], top + 46, RIGHT[1]], &figures.executable);
    canvas.vertical(centre, top + 84, top + 142);
    canvas.tool(centre, top + 98, "toyvm");
    output(&mut canvas, top + 144, &figures.output);
    let bottom = MARGIN + host + 12;
    for (agent, x) in figures.agents.iter().zip(AGENTS) {
        canvas.resting("agent", [x, bottom, AGENT_WIDTH], &agent.name, "done");
    }
    let text =
        "The host links the tickets with the merged repository, as in any other build, and runs the program.";
    canvas.finish("step4-link", "Step 4, link and run", text.into(), bottom + 34)
}

fn output(canvas: &mut Canvas, y: u32, lines: &[String]) {
    let [x, width] = [LEFT[0], HOST_WIDTH - 2 * INSET];
    canvas.panel("panel", [x, y, width, 46]);
    for (lines, y) in lines.chunks(2).zip([y + 19, y + 37]) {
        canvas.text(x + 10, y, Anchor::Start, "mono", &lines.join(" · "));
    }
}
