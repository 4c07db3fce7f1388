//! Why a tenant could not be rendered.

use thiserror::Error;

/// Why a tenant could not be rendered.
#[derive(Debug, Error)]
pub enum RenderError {
    /// The folder of templates, or one of them, could not be read.
    #[error("cannot read the templates in `{path}`")]
    Read {
        /// Folder or file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A template is not one.
    #[error("{template}:{line}: {message}")]
    Template {
        /// File of the template.
        template: String,
        /// Line within it, counted from 1; 0 where it is not known.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A component has no template.
    #[error("component `{component}` has no template; add `{component}.yaml.hbs` to the templates")]
    Missing {
        /// The component.
        component: String,
    },
    /// A value would be read as a command by CloudFormation.
    #[error("`{setting}` holds `{{{{resolve:`, which CloudFormation would resolve; take it out")]
    DynamicReference {
        /// The setting or argument.
        setting: String,
    },
    /// A value would swallow what follows it in a text that CloudFormation puts together.
    #[error(
        "`{setting}` holds `${{` without its own `}}`, which CloudFormation would look for in what follows; close it or take it out"
    )]
    OpenVariable {
        /// The setting or argument.
        setting: String,
    },
    /// The rendered document is not a valid template. A bug of a template or a component.
    #[error("stack `{stack}`: {message}")]
    Document {
        /// The stack.
        stack: String,
        /// What is wrong, and where in the document.
        message: String,
    },
}
