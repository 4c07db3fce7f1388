//! What is wrong with a file, and how it is shown: message, place, excerpt, one thing to do.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::source::{Place, Sources};

/// One thing that is wrong at one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong, the value included.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The other place of a conflict, and what stands there.
    pub related: Option<(Place, String)>,
}

impl Problem {
    /// A problem without a hint.
    #[must_use]
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), help: None, related: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the other place of a conflict.
    #[must_use]
    pub fn related(mut self, place: Place, label: impl Into<String>) -> Self {
        self.related = Some((place, label.into()));
        self
    }
}

/// Everything that was wrong, in the order of files and lines, with the texts for the excerpts.
#[derive(Debug, Clone)]
pub struct Problems {
    sources: Sources,
    list: Vec<Problem>,
}

impl Problems {
    /// Sorts problems by place and drops repetitions, as one layer serves many tenants.
    #[must_use]
    pub fn new(sources: Sources, mut list: Vec<Problem>) -> Self {
        list.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.message.cmp(&b.message)));
        list.dedup();
        Self { sources, list }
    }

    /// The problems, ordered by place.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// The files that the places refer to.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The same without excerpts, for lines that fill a screen and more.
    fn plain(&self, problem: &Problem) -> String {
        let mut text = format!("error: {}\n --> {}", problem.message, self.sources.locate(problem.place));
        if let Some((place, label)) = &problem.related {
            text.push_str(&format!("\n ::: {}: {label}", self.sources.locate(*place)));
        }
        if let Some(help) = &problem.help {
            text.push_str(&format!("\n  = help: {help}"));
        }
        text
    }

    fn render(&self, renderer: &Renderer, problem: &Problem) -> String {
        let source = self.sources.get(problem.place.source);
        if !source.is_showable(problem.place) {
            return self.plain(problem);
        }
        let span = problem.place.start as usize..problem.place.end as usize;
        let mut snippet = Snippet::source(source.text.as_str()).path(source.path.as_str());
        snippet = snippet.annotation(AnnotationKind::Primary.span(span));
        let mut group = Group::with_title(Level::ERROR.primary_title(problem.message.as_str()));
        match &problem.related {
            Some((place, label)) if place.source == problem.place.source => {
                let span = place.start as usize..place.end as usize;
                group = group
                    .element(snippet.annotation(AnnotationKind::Context.span(span).label(label.as_str())));
            }
            Some((place, label)) => {
                let other = self.sources.get(place.source);
                let span = place.start as usize..place.end as usize;
                group = group.element(snippet).element(
                    Snippet::source(other.text.as_str())
                        .path(other.path.as_str())
                        .annotation(AnnotationKind::Context.span(span).label(label.as_str())),
                );
            }
            None => group = group.element(snippet),
        }
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let renderer = Renderer::plain();
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            f.write_str(&self.render(&renderer, problem))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
